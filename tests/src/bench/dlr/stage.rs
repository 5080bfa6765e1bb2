//! Where every contender plays: the same servers and the same traffic, fresh each time.
//!
//! Before each run the database is a copy of one template (migrated, the orchestrator's rows in
//! place, analysed), the streams are made anew, a checkpoint is taken and all receipts are
//! published. So publishing costs nothing while the clock runs, and nobody inherits anything.

use std::time::Duration;

use async_nats::jetstream::consumer::{Consumer, pull};
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

use crate::{
    bench::cpu::{Meter, Spent},
    orchestrator,
    traffic::{self, Counts, Generator, Inbound, Mix, Shape},
    world::{DATABASE, Fault, World, WorldOptions},
};

/// What every database of a run is a copy of.
const TEMPLATE: &str = "tollbook_template";
/// How often a run is asked whether it is done.
const POLL: Duration = Duration::from_millis(20);
/// A run that takes longer is stuck.
const PATIENCE: Duration = Duration::from_mins(10);

/// The servers, and the traffic that is sent again and again.
pub(in crate::bench) struct Stage {
    pub(in crate::bench) world: World,
    pub(in crate::bench) inbound: Vec<Inbound>,
    pub(super) counts: Counts,
}

/// A run.
#[derive(Debug, Clone)]
pub(in crate::bench) struct Run {
    pub(in crate::bench) receipts: u64,
    pub(in crate::bench) took: Duration,
    pub(super) cpu: Spent,
}

/// When a run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Every receipt is acknowledged.
    Acknowledged,
    /// Also, every projection has seen the whole log.
    Projected,
}

impl Stage {
    /// Starts the servers as `options` have them and makes the traffic, about `receipts` of it.
    pub(in crate::bench) async fn set(
        options: WorldOptions,
        receipts: u64,
        seed: u64,
    ) -> Result<Self, Fault> {
        let world = World::start(options).await?;
        // A message has about 1.25 receipts.
        let messages = receipts * 4 / 5;
        let shape = Shape::new(seed, messages, eventstore::clock::now()).with_mix(Mix::PUNCTUAL);
        let mut generator = Generator::new(&shape);
        let mut inbound = Vec::new();
        let database = world.admin().await?;
        while let Some(chunk) = generator.next_chunk() {
            orchestrator::enqueue(&database, &chunk.rows).await?;
            inbound.extend(chunk.inbound);
        }
        database
            .batch_execute("vacuum analyze orch.sms_messages")
            .await?;
        drop(database);
        let postgres = &world.postgres;
        postgres.create_database(TEMPLATE, Some(DATABASE)).await?;
        Ok(Self {
            inbound,
            counts: generator.into_expected().counts,
            world,
        })
    }

    /// Makes everything as if nothing had ever happened, and publishes the first `receipts`.
    pub(super) async fn reset(&self, receipts: usize) -> Result<(), Fault> {
        let postgres = &self.world.postgres;
        postgres.drop_database(DATABASE).await?;
        postgres.create_database(DATABASE, Some(TEMPLATE)).await?;
        let observer = self.world.jetstream("observer").await?;
        for plan in &api::nats::plan::STREAMS {
            observer.delete_stream(plan.name).await?;
        }
        let mut variables = self.world.variables("tollbook-admin", "postgres");
        variables.insert("DATABASE_URL", postgres.admin_url(DATABASE));
        self.world.role("provision", &variables).await?;
        let connector = self.world.jetstream("smpp-connector").await?;
        traffic::publish(&connector, &self.inbound[..receipts], None).await?;
        self.world
            .admin()
            .await?
            .batch_execute("checkpoint")
            .await?;
        // Let the servers write out what they still hold back.
        sleep(Duration::from_secs(1)).await;
        Ok(())
    }

    /// Starts the meters; `service` is metered apart where it is a process of its own.
    pub(super) fn meter(&self, service: Option<u32>) -> Meter {
        let servers = [
            ("postgres", self.world.postgres.pid()),
            ("nats", self.world.nats.pid()),
            ("bench", Some(std::process::id())),
            ("service", service),
        ];
        let running = servers
            .into_iter()
            .filter_map(|(name, pid)| Some((name, pid?)));
        Meter::start(running.collect())
    }

    /// Waits until a run is over.
    pub(super) async fn over(&self, until: Until) -> Result<(), Fault> {
        let admin = self.world.jetstream("tollbook-admin").await?;
        let mut consumer: Consumer<pull::Config> = admin
            .get_consumer_from_stream("dlr-processor", "SMS_DLR")
            .await?;
        let database = self.world.admin().await?;
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let info = consumer.info().await?;
            let acknowledged = info.num_pending == 0 && info.num_ack_pending == 0;
            if acknowledged && (until == Until::Acknowledged || behind(&database).await? == 0) {
                return Ok(());
            }
            sleep(POLL).await;
        }
        Err("a run is not over after ten minutes".into())
    }

    /// Fails unless the log holds every receipt of the whole traffic exactly once.
    pub(super) async fn check_log(&self) -> Result<(), Fault> {
        let database = self.world.admin().await?;
        let row = database.query_one("select count(*) from eventlog.event", &[]);
        let events = u64::try_from(row.await?.get::<_, i64>(0))?;
        let expected = self.counts.receipts;
        if events == expected {
            return Ok(());
        }
        Err(format!("the log holds {events} events instead of {expected}").into())
    }

    /// Fails unless every settled message of the whole traffic was announced exactly once.
    pub(super) async fn check_published(&self) -> Result<(), Fault> {
        let admin = self.world.jetstream("tollbook-admin").await?;
        let stream = admin.get_stream("BILLING_EVENTS").await?;
        let (published, expected) = (stream.cached_info().state.messages, self.counts.settled);
        if published == expected {
            return Ok(());
        }
        Err(format!("{published} messages on billing.events instead of {expected}").into())
    }
}

/// How many events some projection has not seen.
async fn behind(database: &Client) -> Result<i64, Fault> {
    let row = database.query_one(include_str!("behind.sql"), &[]).await?;
    Ok(row.get(0))
}
