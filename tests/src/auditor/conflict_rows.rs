//! Compares `billing.charge_conflicts` with what the log says: one row per contradiction, with what
//! it says and what counts side by side.

use schema::Timestamp;
use tokio_postgres::{Client, Error, Row};
use uuid::Uuid;

use super::{
    Invariant,
    billing_facts::Settlement,
    billing_tables::tenant_of,
    facts::{Body, Log},
    load::{LOG_ID, Result, each, timestamp},
    rows::Rows,
};

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConflictRow {
    pub(super) position: i64,
    pub(super) conflict_id: Uuid,
    pub(super) message_id: Uuid,
    pub(super) differs: Vec<String>,
    pub(super) recorded_at: Timestamp,
    pub(super) said: Side,
    pub(super) first: Side,
}

/// What one of the two settlements says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Side {
    /// Announcement, tenant, account, operator.
    pub(super) ids: [Uuid; 4],
    pub(super) segments: i16,
    /// Direction, status, tier, currency.
    pub(super) words: [Option<String>; 4],
    /// Occurred, charged.
    pub(super) times: [Timestamp; 2],
}

/// The rows that must be there, by position.
pub(super) fn due(log: &Log) -> Rows<i64, ConflictRow> {
    let mut rows = Rows::new(Invariant::ConflictsKept, "billing.charge_conflicts");
    for event in &log.events {
        let Body::Conflict(conflict) = &event.body else {
            continue;
        };
        let account = event.account.unwrap_or_default();
        let tenant = conflict.first.tenant;
        let named = log.tenants.get(&tenant).copied().unwrap_or(tenant);
        let row = ConflictRow {
            position: event.position,
            conflict_id: event.event_id,
            message_id: conflict.settlement.message_id,
            differs: conflict.differs.iter().map(ToString::to_string).collect(),
            recorded_at: event.recorded_at,
            said: side(tenant_of(log, event), account, &conflict.settlement),
            first: side(named, conflict.first.account_id, &conflict.first.settlement),
        };
        rows.due.insert(event.position, (row, false));
    }
    rows
}

fn side(tenant: Uuid, account: Uuid, settlement: &Settlement) -> Side {
    let word = |word: &Option<Box<str>>| word.as_deref().map(str::to_owned);
    Side {
        ids: [
            settlement.source_event_id,
            tenant,
            account,
            settlement.operator_id,
        ],
        segments: settlement.segment_count,
        words: [
            Some(settlement.direction.to_string()),
            Some(settlement.dlr_status.as_str().to_owned()),
            word(&settlement.stated_tier),
            word(&settlement.stated_currency),
        ],
        times: [settlement.occurred_at, settlement.charged_at],
    }
}

/// Hands over every row.
pub(super) async fn load(client: &Client, mut see: impl FnMut(ConflictRow)) -> Result<()> {
    let sql = include_str!("conflicts.sql");
    each(client, "the contradictions", sql, &[&LOG_ID], |row| {
        see(ConflictRow {
            position: row.try_get(0)?,
            conflict_id: row.try_get(1)?,
            message_id: row.try_get(2)?,
            differs: row.try_get(3)?,
            recorded_at: timestamp(row, 4)?,
            said: shown(row, 5)?,
            first: shown(row, 16)?,
        });
        Ok(())
    })
    .await
}

/// What a settlement says, in the columns from `first` on.
fn shown(row: &Row, first: usize) -> std::result::Result<Side, Error> {
    let id = |column: usize| row.try_get(first + column);
    let word = |column: usize| row.try_get(first + column);
    Ok(Side {
        ids: [id(0)?, id(1)?, id(2)?, id(3)?],
        segments: row.try_get(first + 4)?,
        words: [word(5)?, word(6)?, word(7)?, word(8)?],
        times: [timestamp(row, first + 9)?, timestamp(row, first + 10)?],
    })
}
