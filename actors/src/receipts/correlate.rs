//! Correlation: which message a receipt belongs to.
//!
//! A whole batch is one query against `orch.sms_messages`. Operator and operator message id
//! together name the message. Carriers use their ids again after some weeks, so only a message
//! counts that was handed in before the receipt arrived and at most the match window earlier, the
//! youngest of them first. A connector's hint serves only where that finds nothing, and only if
//! the hinted message agrees with what the receipt says; it must never lead to another operator's
//! message. See `docs/adr/0025-which-message-a-receipt-means.md`.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use eventstore::{
    StoreError,
    postgres::{Database, Statement},
};
use schema::{
    AccountId, MessageId, OperatorId, OperatorMessageId, Personal, ReceivedReceipt, TenantId,
    Timestamp,
};
use serde_json::Value;
use time::OffsetDateTime;
use tokio_postgres::{Row, types::ToSql};
use uuid::Uuid;

use super::decide::message::MatchedMessage;

/// The most bytes of a message's metadata that a webhook carries.
const METADATA_MAX: usize = 16 * 1024;
/// How far the orchestrator's clock may be ahead of JetStream's: a message may seem to have been
/// handed in this long after its receipt arrived.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

/// What a receipt says of its message.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The carrier.
    pub operator: OperatorId,
    /// The carrier's id.
    pub operator_message: OperatorMessageId,
    /// The connector's guess.
    pub hint: Option<MessageId>,
    /// The arrival of the receipt, which bounds the time its message was handed in.
    pub arrived: Timestamp,
}

impl Wanted {
    /// The message of this receipt.
    #[must_use]
    pub fn of(received: &ReceivedReceipt) -> Self {
        Self {
            operator: received.facts.operator_id,
            operator_message: received.facts.operator_message_id.clone(),
            hint: received.message_hint,
            arrived: received.facts.received_at,
        }
    }
}

/// A message that a receipt was found to belong to.
#[derive(Debug, Clone)]
pub struct Found {
    /// The tenant whose message it is.
    pub tenant: TenantId,
    /// The message.
    pub message: MatchedMessage,
}

/// Finds the messages that receipts are about.
#[async_trait]
pub trait FindMessages: Send + Sync {
    /// The message of each receipt wanted, in the order wanted.
    ///
    /// # Errors
    /// Whoever knows them could not be asked.
    async fn find(&self, wanted: &[Wanted]) -> Result<Vec<Option<Found>>, StoreError>;
}

/// Looks up messages in the orchestrator's table.
#[derive(Clone)]
pub struct Correlator {
    database: Database,
    match_window: Duration,
}

impl Correlator {
    /// A correlator for the table in `database`. A message is found by receipts that arrive at
    /// most `match_window` after it was handed in.
    #[must_use]
    pub const fn new(database: Database, match_window: Duration) -> Self {
        Self {
            database,
            match_window,
        }
    }
}

#[async_trait]
impl FindMessages for Correlator {
    async fn find(&self, wanted: &[Wanted]) -> Result<Vec<Option<Found>>, StoreError> {
        const FIND: Statement = Statement::new(include_str!("correlate/find.sql"));
        let failed = FIND.failed();
        let operators: Vec<Uuid> = wanted.iter().map(|one| one.operator.0).collect();
        let ids: Vec<&str> = wanted
            .iter()
            .map(|one| one.operator_message.as_str())
            .collect();
        let hints: Vec<Option<Uuid>> = wanted.iter().map(|one| one.hint.map(|id| id.0)).collect();
        let arrivals = || wanted.iter().map(|one| one.arrived.datetime());
        let earliest: Vec<OffsetDateTime> = arrivals().map(|at| at - self.match_window).collect();
        let latest: Vec<OffsetDateTime> = arrivals().map(|at| at + CLOCK_SKEW).collect();
        let parameters: [&(dyn ToSql + Sync); 5] = [&operators, &ids, &hints, &earliest, &latest];
        let rows = self.database.query(FIND, &parameters).await?;
        let mut answers = vec![None; wanted.len()];
        for row in &rows {
            let number: i64 = row.try_get(0).map_err(failed)?;
            // Unwrap safety: the statement numbers what was wanted from 1.
            answers[usize::try_from(number - 1).expect("a number of ours")] =
                Some(found(row).map_err(failed)?);
        }
        Ok(answers)
    }
}

/// A row of another team's table: what cannot be read is a fault, never a panic.
fn found(row: &Row) -> Result<Found, tokio_postgres::Error> {
    let metadata: Option<&str> = row.try_get(6)?;
    Ok(Found {
        tenant: TenantId(row.try_get(2)?),
        message: MatchedMessage {
            id: MessageId(row.try_get(1)?),
            account: AccountId(row.try_get(3)?),
            to: Personal::new(row.try_get(4)?),
            segment_count: row.try_get(5)?,
            metadata: metadata.and_then(customer_metadata),
            enqueued_at: Timestamp::from_datetime(row.try_get(7)?),
        },
    })
}

/// What a webhook may carry of a message's metadata: the strings of a JSON object. Anything else
/// in there is the orchestrator's own and stays with it.
fn customer_metadata(json: &str) -> Option<Personal> {
    let mut members: BTreeMap<String, Value> = serde_json::from_str(json).ok()?;
    members.retain(|_, value| value.is_string());
    if members.is_empty() {
        return None;
    }
    let text = serde_json::to_string(&members).ok()?;
    (text.len() <= METADATA_MAX).then(|| Personal::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_carries_the_strings_of_an_object_and_nothing_else() {
        let kept = |json: &str| customer_metadata(json).map(|kept| kept.expose().to_owned());
        let mixed = r#"{"a":"x","b":7,"c":{"d":"y"},"e":null}"#;
        assert_eq!(kept(mixed).as_deref(), Some(r#"{"a":"x"}"#));
        let huge = format!(r#"{{"a":"{}"}}"#, "x".repeat(METADATA_MAX));
        for nothing in ["null", "7", "[]", "{}", r#"{"a":1}"#, &huge] {
            assert_eq!(kept(nothing), None);
        }
    }
}
