//! What is asked of `dlr.orphaned_receipts`, which belongs to no tenant.

use eventstore::postgres::Statement;
use schema::{EventId, MessageId, OperatorId, OperatorMessageId, Position, Timestamp};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::{
    ReadError, Reader, Scope,
    read::{Cells, Parameters},
};

/// A receipt without a message, and whether it found one since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// The id of the event that records it.
    pub id: EventId,
    /// The carrier.
    pub operator_id: OperatorId,
    /// The carrier's id of the message, which nobody knew.
    pub operator_message_id: OperatorMessageId,
    /// The message the connector guessed, if it did.
    pub message_hint: Option<MessageId>,
    /// When it reached us; with its position, its place in the order of arrival.
    pub received_at: Timestamp,
    /// Where in the log.
    pub position: Position,
    /// Whether it still has no message.
    pub open: bool,
}

/// The youngest orphans, in no order: at most `limit`, none received before `since`.
///
/// # Errors
/// See [`ReadError`].
pub async fn youngest(
    reader: &Reader,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<Orphan>, ReadError> {
    const YOUNGEST: Statement = Statement::new(include_str!("youngest.sql"));
    let asked: Parameters = vec![
        Box::new(reader.log().0),
        Box::new(since.datetime()),
        Box::new(limit),
    ];
    orphans(reader, YOUNGEST, asked).await
}

/// The next orphans in the order of arrival, at most `limit`, after the one received then at that
/// position.
///
/// # Errors
/// See [`ReadError`].
pub async fn next(
    reader: &Reader,
    (received_at, position): (Timestamp, Position),
    limit: i64,
) -> Result<Vec<Orphan>, ReadError> {
    const NEXT: Statement = Statement::new(include_str!("next.sql"));
    let asked: Parameters = vec![
        Box::new(reader.log().0),
        Box::new(received_at.datetime()),
        Box::new(position.0),
        Box::new(limit),
    ];
    orphans(reader, NEXT, asked).await
}

/// Which message of which carrier this orphan is about, as the carrier names it; nothing if there is
/// no such orphan.
///
/// # Errors
/// See [`ReadError`].
pub async fn about(
    reader: &Reader,
    orphan: EventId,
) -> Result<Option<(OperatorId, OperatorMessageId)>, ReadError> {
    const FIND: Statement = Statement::new(include_str!("find.sql"));
    let asked: Parameters = vec![Box::new(reader.log().0), Box::new(orphan.0)];
    let rows = reader.rows(FIND, Scope::EveryTenant, asked).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let cells = Cells::new("dlr.orphaned_receipts", row, orphan.0);
    Ok(Some((
        cells.word("operator_id", |word| word.parse().ok().map(OperatorId))?,
        cells.word("operator_message_id", OperatorMessageId::new)?,
    )))
}

async fn orphans(
    reader: &Reader,
    statement: Statement,
    asked: Parameters,
) -> Result<Vec<Orphan>, ReadError> {
    let rows = reader.rows(statement, Scope::EveryTenant, asked).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Orphan, ReadError> {
    const TABLE: &str = "dlr.orphaned_receipts";
    let id: Uuid = Cells::new(TABLE, row, "?").get("orphan_id")?;
    let cells = Cells::new(TABLE, row, id);
    let hint: Option<Uuid> = cells.get("message_hint")?;
    Ok(Orphan {
        id: EventId(id),
        operator_id: cells.word("operator_id", |word| word.parse().ok().map(OperatorId))?,
        operator_message_id: cells.word("operator_message_id", OperatorMessageId::new)?,
        message_hint: hint.map(MessageId),
        received_at: cells.time("received_at")?,
        position: cells.position("position")?,
        open: cells.get("open")?,
    })
}
