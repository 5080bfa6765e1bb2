//! The floor: what Postgres does with the same rows and keys, without our log.
//!
//! The same columns go into a plain table with the same keys, one row per statement or a batch per
//! `COPY`, each its own transaction, and come back undecoded. Nothing here gives positions without
//! gaps, compares versions, finds repeats or guards anything. The rows are made before the clock
//! starts.

use std::{pin::pin, sync::Arc};

use eventstore::{Append, LogId};
use futures::TryStreamExt as _;
use tokio::{task::JoinSet, time::Instant};
use tokio_postgres::{
    Client,
    binary_copy::BinaryCopyInWriter,
    types::{ToSql, Type},
};

use super::log::{Ids, READ, STRETCH, batch};
use crate::{bench::measure::per_second, stack::Postgres, world::Fault};

/// The most callers that insert at once.
const CALLERS: usize = 10;
/// The columns of `floor_insert.sql` and `floor_copy.sql`. The binary form of `json` is its text.
const COLUMNS: [Type; 16] = [
    Type::TIMESTAMPTZ,
    Type::UUID,
    Type::UUID,
    Type::UUID,
    Type::UUID,
    Type::UUID,
    Type::INT4,
    Type::INT2,
    Type::INT2,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::TEXT,
    Type::BYTEA,
    Type::TEXT,
    Type::TEXT,
];

type Value = Box<dyn ToSql + Send + Sync>;
type Row = [Value; COLUMNS.len()];

/// The plain table, and a connection per caller.
pub(super) struct Floor {
    clients: Vec<Arc<Client>>,
}

impl Floor {
    /// Makes the table beside a log.
    pub(super) async fn lay(postgres: &Postgres, database: &str) -> Result<Self, Fault> {
        let admin = postgres.admin(database).await?;
        admin.batch_execute(include_str!("floor_table.sql")).await?;
        let mut clients = Vec::with_capacity(CALLERS);
        for _ in 0..CALLERS {
            clients.push(postgres.admin(database).await?.into());
        }
        Ok(Self { clients })
    }

    /// Rows per second of `callers` that each wait for one row before they send the next.
    pub(super) async fn insert(&self, callers: usize, rows: usize) -> Result<u64, Fault> {
        let clients = self.clients.iter().take(callers).cloned();
        let work = clients.map(|client| (client, made(rows / callers)));
        let work: Vec<_> = work.collect();
        let start = Instant::now();
        let mut tasks = JoinSet::new();
        for (client, mine) in work {
            tasks.spawn(async move { insert(&client, &mine).await });
        }
        while let Some(done) = tasks.join_next().await {
            done??;
        }
        Ok(per_second(u64::try_from(rows)?, start.elapsed()))
    }

    /// Rows per second in batches of `size`, one after the other.
    pub(super) async fn copy(&self, size: usize, rows: usize) -> Result<u64, Fault> {
        let work: Vec<_> = (0..rows / size).map(|_| made(size)).collect();
        let start = Instant::now();
        for batch in work {
            let sink = self.clients[0]
                .copy_in(include_str!("floor_copy.sql"))
                .await?;
            let mut writer = pin!(BinaryCopyInWriter::new(sink, &COLUMNS));
            for row in &batch {
                writer.as_mut().write_raw(values(row)).await?;
            }
            writer.finish().await?;
        }
        Ok(per_second(u64::try_from(rows)?, start.elapsed()))
    }

    /// Events per second, read in order from the log's own table and not looked at.
    pub(super) async fn read(&self) -> Result<u64, Fault> {
        let client = &self.clients[0];
        let statement = client.prepare(include_str!("floor_read.sql")).await?;
        let start = Instant::now();
        let mut events = 0;
        for at in (0..READ).step_by(usize::try_from(STRETCH)?) {
            let span = [at, at + STRETCH];
            let mut rows = pin!(client.query_raw(&statement, span).await?);
            while rows.try_next().await?.is_some() {
                events += 1;
            }
        }
        Ok(per_second(events, start.elapsed()))
    }
}

async fn insert(client: &Client, rows: &[Row]) -> Result<(), Fault> {
    let statement = client.prepare(include_str!("floor_insert.sql")).await?;
    for row in rows {
        client.execute_raw(&statement, values(row)).await?;
    }
    Ok(())
}

fn values(row: &Row) -> impl ExactSizeIterator<Item = &(dyn ToSql + Sync)> {
    row.iter().map(|value| &**value as _)
}

/// Rows that nobody has used.
fn made(rows: usize) -> Vec<Row> {
    let appends = batch(Ids::InTime, rows).into_iter();
    appends.filter_map(|append| row_of(&append)).collect()
}

/// The columns of an append's event.
fn row_of(append: &Append) -> Option<Row> {
    let event = append.events.first()?;
    let (name, schema_version) = event.event.type_and_version();
    let (payload, sealed) = (event.event.payload(), event.sealed.stored());
    let hash = event.content_hash(append.stream, &payload, sealed.as_deref());
    Some([
        Box::new(event.occurred_at.datetime()),
        Box::new(append.stream.id),
        Box::new(event.id.0),
        Box::new(event.tenant.map(|tenant| tenant.0)),
        Box::new(event.account.map(|account| account.0)),
        Box::new(event.cause),
        Box::new(append.expected.next().0),
        Box::new(LogId::DEFAULT.0),
        Box::new(schema_version),
        Box::new(append.stream.category.as_str()),
        Box::new(name),
        Box::new(event.principal.clone()),
        Box::new(event.trace.clone()),
        Box::new(hash.to_vec()),
        Box::new(payload),
        Box::new(sealed),
    ])
}
