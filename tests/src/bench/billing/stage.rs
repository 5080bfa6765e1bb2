//! Where billing is measured: accounts, prices and costs agreed over REST once, kept as a template
//! of the database; every run begins with a fresh copy of it and fresh streams.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::consumer::{Consumer, pull};
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

use crate::{
    bench::cpu::{Meter, Spent},
    drive, orchestrator,
    traffic::{
        self, Agreement, Announced, Expected, Generator, Inbound, Mix, Shape, agreement::Comes,
        announce,
    },
    world::{DATABASE, Fault, PROJECTIONS, World, WorldOptions, billing_projections},
};

/// What every database of a run is a copy of.
const TEMPLATE: &str = "tollbook_template";
/// How often a run is asked whether it is done.
const POLL: Duration = Duration::from_millis(20);
/// A run that takes longer is stuck.
const PATIENCE: Duration = Duration::from_mins(10);
/// Who may announce settlements.
const ANNOUNCER: &str = "dlr-processor";

/// The servers, the traffic and what was agreed.
pub(in crate::bench) struct Stage {
    pub(in crate::bench) world: World,
    pub(super) agreement: Arc<Agreement>,
    /// Receipts for the whole chain, and how many messages they settle.
    pub(super) receipts: Vec<Inbound>,
    pub(super) settled: u64,
    /// Settlements for billing alone.
    pub(super) announcements: Vec<Inbound>,
}

/// A run.
#[derive(Debug, Clone)]
pub(in crate::bench) struct Run {
    pub(in crate::bench) count: u64,
    /// Until every announcement was acknowledged.
    pub(super) acknowledged: Duration,
    /// Until everything was visible.
    pub(in crate::bench) visible: Duration,
    pub(super) cpu: Spent,
}

/// What is at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AtWork {
    /// `tollbook billing`.
    Billing,
    /// `tollbook dlr` too.
    Both,
    /// A bare loop in the place of billing.
    Floor,
    /// Bare loops in the place of both.
    BothFloors,
}

impl AtWork {
    /// Whether receipts are taken in too.
    const fn takes_receipts(self) -> bool {
        matches!(self, Self::Both | Self::BothFloors)
    }

    /// What has to have seen the whole log before the work is done.
    fn projections(self) -> Vec<&'static str> {
        match self {
            Self::Billing => billing_projections(),
            Self::Both => [&PROJECTIONS[..], &billing_projections()].concat(),
            Self::Floor | Self::BothFloors => Vec::new(),
        }
    }
}

impl Stage {
    /// Starts the servers as `options` have them, makes the traffic, and agrees on prices for all of it.
    pub(in crate::bench) async fn set(
        options: WorldOptions,
        charges: u64,
        seed: u64,
    ) -> Result<Self, Fault> {
        let world = World::start(options).await?;
        let start = eventstore::clock::now();
        // Nearly every message is settled.
        let messages = charges * 100 / 98;
        let shape = Shape::new(seed, messages, start).with_mix(Mix::PUNCTUAL);
        let mut generator = Generator::new(&shape);
        let mut receipts = Vec::new();
        let database = world.admin().await?;
        while let Some(chunk) = generator.next_chunk() {
            orchestrator::enqueue(&database, &chunk.rows).await?;
            receipts.extend(chunk.inbound);
        }
        let expected = generator.into_expected();
        let agreement = Arc::new(chargeable(Agreement::draw(&shape)));
        let billing = world
            .billing(&[("BILLING_CONSUMER_ENABLED", "false")])
            .await?;
        let rest = world.rest(&billing).await?;
        drive::agree(&rest, &agreement, Comes::First).await?;
        if !billing.terminate().await? {
            return Err("tollbook billing did not end well".into());
        }
        database.batch_execute("vacuum analyze").await?;
        drop(database);
        let postgres = &world.postgres;
        postgres.create_database(TEMPLATE, Some(DATABASE)).await?;
        Ok(Self {
            agreement,
            receipts,
            settled: expected.counts.settled,
            announcements: announcements(&expected, &shape),
            world,
        })
    }

    /// Makes everything as it was after the agreement.
    pub(super) async fn reset(&self) -> Result<(), Fault> {
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
        Ok(())
    }

    /// Announces settlements to billing; returns how late the latest was.
    pub(super) async fn announce(
        &self,
        announcements: &[Inbound],
        rate: Option<u64>,
    ) -> Result<Duration, Fault> {
        let jetstream = self.world.jetstream(ANNOUNCER).await?;
        let sent = traffic::publish_on(announce::SUBJECT, &jetstream, announcements, rate).await?;
        Ok(sent.latest)
    }

    /// Lets the servers write out what they still hold back.
    pub(in crate::bench) async fn settle_down(&self) -> Result<(), Fault> {
        let admin = self.world.admin().await?;
        admin.batch_execute("checkpoint").await?;
        sleep(Duration::from_secs(1)).await;
        Ok(())
    }

    /// Starts the meters on the servers and this process.
    pub(super) fn meter(&self) -> Meter {
        let servers = [
            ("postgres", self.world.postgres.pid()),
            ("nats", self.world.nats.pid()),
            ("bench", Some(std::process::id())),
        ];
        let running = servers.into_iter();
        Meter::start(
            running
                .filter_map(|(name, pid)| Some((name, pid?)))
                .collect(),
        )
    }

    /// Waits until a run is over; says when everything was acknowledged, since `began`.
    pub(super) async fn over(&self, at_work: AtWork, began: Instant) -> Result<Duration, Fault> {
        let admin = self.world.jetstream("tollbook-admin").await?;
        let mut billing: Consumer<pull::Config> = admin
            .get_consumer_from_stream("billing-consumer", "BILLING_EVENTS")
            .await?;
        let mut receipts: Consumer<pull::Config> = admin
            .get_consumer_from_stream("dlr-processor", "SMS_DLR")
            .await?;
        let database = self.world.admin().await?;
        let projections = at_work.projections();
        let mut acknowledged = None;
        while began.elapsed() < PATIENCE {
            let heard = !at_work.takes_receipts() || idle(&mut receipts).await?;
            if heard && idle(&mut billing).await? {
                let acknowledged = *acknowledged.get_or_insert(began.elapsed());
                // What is published meanwhile waits for billing, so ask that once more.
                let shown = behind(&database, &projections).await? == 0;
                if shown && idle(&mut billing).await? {
                    return Ok(acknowledged);
                }
            } else {
                acknowledged = None;
            }
            sleep(POLL).await;
        }
        Err("a run is not over after ten minutes".into())
    }

    /// Fails unless the floor's table has every one of `count` messages.
    pub(super) async fn check_floor(&self, count: u64) -> Result<(), Fault> {
        let database = self.world.admin().await?;
        let row = database.query_one("select count(*) from floor.charge", &[]);
        let rows = u64::try_from(row.await?.get::<_, i64>(0))?;
        if rows == count {
            return Ok(());
        }
        Err(format!("the floor's table holds {rows} charges, not {count}").into())
    }

    /// Fails unless every one of `count` messages is charged, shown and counted once.
    pub(super) async fn check(&self, count: u64) -> Result<(), Fault> {
        let database = self.world.admin().await?;
        let row = database.query_one(include_str!("counts.sql"), &[]).await?;
        let counts: [i64; 3] = [row.get(0), row.get(1), row.get(2)];
        let wanted = i64::try_from(count)?;
        if counts == [wanted; 3] {
            return Ok(());
        }
        Err(format!("charges in log, table and usage: {counts:?}, not {wanted}").into())
    }
}

async fn idle(consumer: &mut Consumer<pull::Config>) -> Result<bool, Fault> {
    let info = consumer.info().await?;
    Ok(info.num_pending == 0 && info.num_ack_pending == 0)
}

/// How many events some of these projections have not seen.
async fn behind(database: &Client, projections: &[&str]) -> Result<i64, Fault> {
    if projections.is_empty() {
        return Ok(0);
    }
    let sql = include_str!("behind.sql");
    Ok(database.query_one(sql, &[&projections]).await?.get(0))
}

/// The same agreement with everything known from the start and in one currency: nothing is held.
fn chargeable(mut agreement: Agreement) -> Agreement {
    for account in agreement.accounts.values_mut() {
        account.currency = "EUR";
        for later in &mut account.becomes {
            later.currency = "EUR";
        }
        account.comes = Comes::First;
    }
    for price in &mut agreement.prices {
        price.comes = Comes::First;
    }
    for cost in &mut agreement.costs {
        cost.currency = "EUR";
    }
    agreement
}

/// A settlement of every message that has a final receipt.
fn announcements(expected: &Expected, shape: &Shape) -> Vec<Inbound> {
    let mut messages: Vec<_> = expected.messages.iter().collect();
    messages.sort_unstable_by_key(|(id, _)| **id);
    let announced = messages.into_iter().filter_map(|(id, message)| {
        let finals = &mut message.sent.iter();
        let settled = finals.find(|sent| sent.word.status().is_final())?;
        let announced = Announced {
            event_id: settled.event_id,
            message: *id,
            tenant: message.tenant,
            account: message.account,
            operator: message.operator,
            segments: message.segments,
            status: settled.word.status(),
            charged_at: settled.delivered.unwrap_or(shape.start),
            tier: None,
            currency: None,
        };
        Some(Inbound {
            payload: announced.payload(),
            traceparent: None,
        })
    });
    announced.collect()
}
