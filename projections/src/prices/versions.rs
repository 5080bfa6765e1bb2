//! A table of dated versions: one row per version, opened once, and closed where it ends.
//!
//! A kind of versions says what its columns are and brings its statements ([`VersionTable`]); how
//! events become rows stands here once. A version that is opened and closed in one batch is opened
//! with its end, so that at no time two versions of a key overlap in the table: first the old ones
//! get their ends, then the new ones come.

mod batch;
#[cfg(test)]
pub(super) mod fixture;
mod queries;

use std::marker::PhantomData;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::postgres::Statement;
use schema::{EventType, TenantId, Versioned};
use serde::Serialize;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use self::batch::{Endings, Lives, Versions};
pub use self::{
    batch::Opened,
    queries::{Version, by_request, list, one},
};
use crate::{
    ApplyError, Batch, ReadError, Scope, Table,
    read::{Cells, Parameters},
};

/// A kind of versions that a table of `billing` shows.
pub trait VersionTable: Versioned {
    /// Which versions are asked for; by default all.
    type Filter: Copy + Default + Serialize + Send + Sync;

    /// The name of the projection.
    const PROJECTION: &'static str;
    /// The table, with its schema.
    const TABLE: &'static str;
    /// The column that holds the version's id.
    const ID: &'static str;
    /// What is asked of the table and done to it.
    const STATEMENTS: Statements;

    /// The columns that only this kind has, in the order of [`Statements::open`].
    fn columns<'a>(opened: &'a [Opened<'_, Self>]) -> Columns<'a>;

    /// What [`Statements::list`] takes between the page and the time.
    fn filter(filter: Self::Filter) -> Parameters;

    /// Reads what a version is for.
    ///
    /// # Errors
    /// A column cannot be read.
    fn key(cells: &Cells<'_, Uuid>) -> Result<Self::Key<TenantId>, ReadError>;

    /// Reads what a version says.
    ///
    /// # Errors
    /// A column cannot be read.
    fn terms(cells: &Cells<'_, Uuid>) -> Result<Self::Terms, ReadError>;
}

/// The statements of a table. Those that ask answer with the columns
/// that only the kind has and with `effective_from`, `effective_to`, `created_by`, `created_at`,
/// `closed_by`, `position`, `changed_position` and `request`.
#[derive(Debug, Clone, Copy)]
pub struct Statements {
    /// Adds rows. `$1` log; per row: `$2` position, `$3` version, the columns that only the kind
    /// has, beginning, end, who opened it, when, who closed it, position of the last change,
    /// request.
    pub open: Statement,
    /// Gives rows their ends. `$1` log; per row: `$2` version, `$3` end, `$4` who closed it, `$5`
    /// position.
    pub close: Statement,
    /// One page of rows. `$1` log, `$2` after this position, `$3` at most, then the filter, last the
    /// time at which they are in effect, null for all.
    pub list: Statement,
    /// One row. `$1` version.
    pub one: Statement,
    /// The first row that a request opened. `$1` request.
    pub by_request: Statement,
}

/// Columns of several rows, each an array.
pub type Columns<'a> = Vec<Box<dyn ToSql + Sync + Send + 'a>>;

/// The projection of the versions of a kind to its table.
#[derive(Debug, Clone, Copy)]
pub struct VersionRows<K>(PhantomData<K>);

impl<K> Default for VersionRows<K> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

#[async_trait]
impl<K: VersionTable> Table for VersionRows<K> {
    const NAME: &'static str = K::PROJECTION;
    const READS: &'static [EventType] = &[K::OPENED, K::CLOSED];

    async fn show(batch: &Batch, transaction: &Transaction<'_>) -> Result<(), ApplyError> {
        let log = batch.log.0;
        let versions = Versions::<K>::of(batch);
        Scope::EveryTenant.enter(transaction).await?;
        close_all(transaction, log, &versions).await?;
        open_all(transaction, log, &versions).await
    }
}

/// Gives the versions opened before the batch their ends.
async fn close_all<K: VersionTable>(
    transaction: &Transaction<'_>,
    log: i16,
    versions: &Versions<'_, K>,
) -> Result<(), ApplyError> {
    let ends = Endings::of(versions);
    if ends.version.is_empty() {
        return Ok(());
    }
    let parameters: [&(dyn ToSql + Sync); 5] = [
        &log,
        &ends.version,
        &ends.at,
        &ends.closed_by,
        &ends.position,
    ];
    let close = K::STATEMENTS.close;
    Ok(close.execute(transaction, &parameters).await?)
}

/// Adds the versions that the batch opens.
async fn open_all<K: VersionTable>(
    transaction: &Transaction<'_>,
    log: i16,
    versions: &Versions<'_, K>,
) -> Result<(), ApplyError> {
    if versions.opened.is_empty() {
        return Ok(());
    }
    let lives = Lives::of(&versions.opened);
    let columns = K::columns(&versions.opened);
    let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&log, &lives.position, &lives.version];
    parameters.extend(
        columns
            .iter()
            .map(|column| &**column as &(dyn ToSql + Sync)),
    );
    parameters.extend::<[&(dyn ToSql + Sync); 7]>([
        &lives.from,
        &lives.to,
        &lives.opened_by,
        &lives.opened_at,
        &lives.closed_by,
        &lives.changed,
        &lives.request,
    ]);
    let open = K::STATEMENTS.open;
    Ok(open.execute(transaction, &parameters).await?)
}
