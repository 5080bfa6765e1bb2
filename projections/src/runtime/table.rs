//! Projections whose effect is rows: what they have in common.

use std::marker::PhantomData;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use schema::EventType;

use super::projection::{ApplyError, Batch, Effect, Projection};

/// A projection whose effect is the rows of one table, or of a few that belong together.
#[async_trait]
pub trait Table: Send + Sync + 'static {
    /// Of its checkpoint, as a rule the table's; in logs and metrics. It must never change.
    const NAME: &'static str;
    /// The types of events that it shows; it is given no others.
    const READS: &'static [EventType];

    /// Shows what `batch` says, with few statements however many events there are. A table of the
    /// schema `billing` first enters [`Scope::EveryTenant`](crate::Scope).
    ///
    /// # Errors
    /// A fault of Postgres, or an event that cannot be shown.
    async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError>;
}

#[async_trait]
impl<T: Table> Projection for T {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn reads(&self) -> &'static [EventType] {
        T::READS
    }

    async fn prepare(&self, batch: &Batch) -> Result<Box<dyn Effect>, ApplyError> {
        Ok(Box::new(Rows::<T> {
            batch: batch.clone(),
            table: PhantomData,
        }))
    }
}

/// The rows of a batch on their way.
struct Rows<T> {
    batch: Batch,
    table: PhantomData<fn() -> T>,
}

#[async_trait]
impl<T: Table> Effect for Rows<T> {
    async fn apply(&mut self, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        T::show(&self.batch, transaction).await
    }
}
