//! What is asked of a table of versions. Only the platform's own people ask, so every question is
//! asked for all tenants.

use eventstore::postgres::Statement;
use schema::{Period, Position, TenantId, Timestamp};
use tokio_postgres::Row;
use uuid::Uuid;

use super::VersionTable;
use crate::{
    Page, ReadError, Reader, Scope,
    read::{Cells, Parameters},
};

/// A version as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version<K: VersionTable> {
    /// Its name.
    pub id: K::Id,
    /// What it is for.
    pub key: K::Key<TenantId>,
    /// What it says.
    pub terms: K::Terms,
    /// When it is in effect.
    pub period: Period,
    /// The principal who opened it.
    pub created_by: String,
    /// When that was recorded.
    pub created_at: Timestamp,
    /// The principal who moved its end last, if anybody did.
    pub closed_by: Option<String>,
    /// Where in the log it was opened; its place in lists.
    pub position: Position,
    /// Where in the log it was opened or closed last.
    pub changed_position: Position,
    /// The request that opened it.
    pub request: Uuid,
}

/// The versions that `filter` leaves and that are in effect at `active_at`, if that is given, in the
/// order they were opened. With a whole key in the filter, no time and [`Page::WHOLE`]: the key's
/// history.
///
/// # Errors
/// See [`ReadError`].
pub async fn list<K: VersionTable>(
    reader: &Reader,
    filter: K::Filter,
    active_at: Option<Timestamp>,
    page: Page,
) -> Result<Vec<Version<K>>, ReadError> {
    let mut parameters: Parameters = vec![
        Box::new(reader.log().0),
        Box::new(page.after.unwrap_or_default().0),
        Box::new(page.limit),
    ];
    parameters.extend(K::filter(filter));
    parameters.push(Box::new(active_at.map(Timestamp::datetime)));
    versions(reader, K::STATEMENTS.list, parameters).await
}

/// One version.
///
/// # Errors
/// See [`ReadError`].
pub async fn one<K: VersionTable>(
    reader: &Reader,
    version: K::Id,
) -> Result<Option<Version<K>>, ReadError> {
    let version: Uuid = version.into();
    let found = versions(reader, K::STATEMENTS.one, vec![Box::new(version)]).await?;
    Ok(found.into_iter().next())
}

/// The first version that `request` opened.
///
/// # Errors
/// See [`ReadError`].
pub async fn by_request<K: VersionTable>(
    reader: &Reader,
    request: Uuid,
) -> Result<Option<Version<K>>, ReadError> {
    let found = versions(reader, K::STATEMENTS.by_request, vec![Box::new(request)]).await?;
    Ok(found.into_iter().next())
}

async fn versions<K: VersionTable>(
    reader: &Reader,
    statement: Statement,
    parameters: Parameters,
) -> Result<Vec<Version<K>>, ReadError> {
    let rows = reader
        .rows(statement, Scope::EveryTenant, parameters)
        .await?;
    rows.iter().map(read).collect()
}

fn read<K: VersionTable>(row: &Row) -> Result<Version<K>, ReadError> {
    let id: Uuid = Cells::new(K::TABLE, row, "?").get(K::ID)?;
    let cells = Cells::new(K::TABLE, row, id);
    Ok(Version {
        id: id.into(),
        key: K::key(&cells)?,
        terms: K::terms(&cells)?,
        period: Period {
            effective_from: cells.time("effective_from")?,
            effective_to: cells.time_if_any("effective_to")?,
        },
        created_by: cells.get("created_by")?,
        created_at: cells.time("created_at")?,
        closed_by: cells.get("closed_by")?,
        position: cells.position("position")?,
        changed_position: cells.position("changed_position")?,
        request: cells.get("request")?,
    })
}
