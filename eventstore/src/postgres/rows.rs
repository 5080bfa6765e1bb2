//! From rows of `eventlog.event` to events.

use schema::{
    AccountId, Category, Event, EventId, Position, Pseudonym, Sealed, StreamId, StreamVersion,
    Timestamp,
};
use time::OffsetDateTime;
use tokio_postgres::{
    Row,
    types::{FromSql, Type},
};

use crate::{EventData, RecordedEvent, UnreadableRow};

/// The text of a `json` column, to the byte.
struct JsonText<'a>(&'a str);

impl<'a> FromSql<'a> for JsonText<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(std::str::from_utf8(raw)?))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::JSON
    }
}

/// Reads a row of `read_streams` or `read_log`, which begin with the same columns.
pub(super) fn recorded_event(row: &Row) -> Result<RecordedEvent, UnreadableRow> {
    let position = Position(row.get(0));
    let (stored_category, stored_type): (&str, &str) = (row.get(10), row.get(11));
    let unreadable = |column, source| UnreadableRow {
        position,
        category: stored_category.to_owned(),
        event_type: stored_type.to_owned(),
        column,
        source,
    };
    let category = Category::parse(stored_category).ok_or_else(|| {
        let source = format!("unknown category {stored_category}");
        unreadable("category", source.into())
    })?;
    let payload: JsonText<'_> = row.get(14);
    let event = Event::from_stored(stored_type, row.get(9), payload.0)
        .map_err(|source| unreadable("payload", source.into()))?;
    let sealed = match row.get::<_, Option<JsonText<'_>>>(15) {
        None => Sealed::default(),
        Some(text) => {
            serde_json::from_str(text.0).map_err(|source| unreadable("sealed", source.into()))?
        }
    };
    Ok(RecordedEvent {
        position,
        stream: StreamId {
            category,
            id: row.get(3),
        },
        version: StreamVersion(row.get(8)),
        recorded_at: Timestamp::from_datetime(row.get::<_, OffsetDateTime>(1)),
        data: EventData {
            id: EventId(row.get(4)),
            event,
            tenant: row.get::<_, Option<_>>(5).map(Pseudonym),
            account: row.get::<_, Option<_>>(6).map(AccountId),
            occurred_at: Timestamp::from_datetime(row.get::<_, OffsetDateTime>(2)),
            cause: row.get(7),
            trace: row.get(13),
            principal: row.get(12),
            sealed,
        },
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_statements_that_read_events_begin_with_the_same_columns() {
        let columns = |sql: &'static str| {
            let (_, select) = sql.split_once("select\n").expect("a select");
            select.split_once("e.sealed").expect("its last column").0
        };
        let (log, streams) = (
            columns(include_str!("store/read_after.sql")),
            columns(include_str!("store/read_streams.sql")),
        );
        assert_eq!((log, log.matches(',').count()), (streams, 15));
    }
}
