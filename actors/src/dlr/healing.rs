//! Healing: orphans whose message has appeared get the effects an on-time receipt has.
//!
//! One pass looks at the unresolved orphans (the projection `orphaned_receipts`), correlates them
//! and records the receipt in its message's stream, then the match in the orphan's. Both are
//! idempotent, so a pass that stops in between, or two nodes healing at once, do no harm: the
//! next pass finds the receipt known and records the match.

use std::{sync::Arc, time::Duration};

use eventstore::{
    EventStore, LogId, RecordedEvent, StoreError, clock,
    keyring::{Keyring, KeyringError, KnownTenant},
    log::chain,
    postgres::Database,
    seal::{self, Place},
};
use schema::{
    Event, EventId, Personal, ReceiptPrivate, ReceivedReceipt, Sealed, StreamId, Timestamp,
    event::{OrphanMatched, ReceiptOrphaned},
};
use tokio::sync::watch;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::{
    correlate::{Correlator, Found, Wanted},
    intake::recordable,
    metrics::DlrMetrics,
};
use crate::{
    decide::{
        message::MessageDecider,
        orphan::{MatchOrphan, OrphanCommand, OrphanDecider},
    },
    directory::{DirectoryRef, ask},
    stream_actor::Verdict,
};

/// The pause between two passes; a pass that took long is followed by a pause as long.
const PAUSE: Duration = Duration::from_secs(1);
/// How many orphans are looked at together.
const PAGE: i64 = 1_000;

/// What healing works with. Cheap to clone.
#[derive(Clone)]
pub struct Healing {
    /// Where the projection of orphans is.
    pub database: Database,
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Which log.
    pub log: LogId,
    /// Finds messages.
    pub correlator: Correlator,
    /// Opens what was sealed for the orphan and gives the tenant's key.
    pub keyring: Arc<dyn Keyring>,
    /// Where receipts of messages go.
    pub messages: DirectoryRef<MessageDecider>,
    /// Where orphans go.
    pub orphans: DirectoryRef<OrphanDecider>,
    /// What is counted.
    pub metrics: Arc<DlrMetrics>,
}

/// What kept a pass from finishing. The next pass tries again.
#[derive(Debug, thiserror::Error)]
pub enum HealingError {
    /// The store failed.
    #[error("healing orphans")]
    Store(#[from] StoreError),
    /// The keyring failed.
    #[error("healing orphans")]
    Keyring(#[from] KeyringError),
}

/// An unresolved orphan as the projection shows it.
struct Unresolved {
    position: i64,
    orphan: EventId,
    stream: StreamId,
    wanted: Wanted,
}

impl Healing {
    /// Heals orphans received within the last `keep`, pass after pass, until `stop` turns true.
    pub async fn run(self, keep: Duration, mut stop: watch::Receiver<bool>) {
        loop {
            let began = clock::now();
            let since = Timestamp::from_datetime(began.datetime() - keep);
            if let Err(fault) = self.pass(since, &stop).await {
                self.metrics.db_error("heal");
                tracing::error!(event = "dlr.db_error", operation = "heal", error = %chain(&fault));
            }
            let took = Duration::try_from(clock::now().datetime() - began.datetime());
            let pause = PAUSE.max(took.unwrap_or_default());
            if tokio::time::timeout(pause, stop.wait_for(|stop| *stop))
                .await
                .is_ok()
            {
                return;
            }
        }
    }

    /// Looks once at every unresolved orphan received since `since`, unless `stop` turns true
    /// before the end; says how many were healed.
    ///
    /// # Errors
    /// The store or the keyring failed; what was healed before stays healed.
    pub async fn pass(
        &self,
        since: Timestamp,
        stop: &watch::Receiver<bool>,
    ) -> Result<usize, HealingError> {
        let (mut after, mut healed) = (0, 0);
        loop {
            let page = self.unresolved(since, after).await?;
            let Some(last) = page.last() else {
                return Ok(healed);
            };
            after = last.position;
            let wanted: Vec<Wanted> = page.iter().map(|orphan| orphan.wanted.clone()).collect();
            let found = self.correlator.find(&wanted).await?;
            for (orphan, found) in page.into_iter().zip(found) {
                if *stop.borrow() {
                    return Ok(healed);
                }
                if let Some(found) = found {
                    healed += usize::from(self.heal(&orphan, found).await?);
                }
            }
        }
    }

    async fn unresolved(
        &self,
        since: Timestamp,
        after: i64,
    ) -> Result<Vec<Unresolved>, StoreError> {
        const SQL: &str = include_str!("healing/unresolved.sql");
        const OPERATION: &str = "reading unresolved orphans";
        let since = since.datetime();
        let parameters: [&(dyn ToSql + Sync); 4] = [&self.log.0, &since, &after, &PAGE];
        let rows = self.database.query(OPERATION, SQL, &parameters).await?;
        Ok(rows.iter().filter_map(unresolved).collect())
    }

    /// Records the orphan's receipt with its message, then the match.
    async fn heal(&self, orphan: &Unresolved, found: Found) -> Result<bool, HealingError> {
        let history = self
            .store
            .read_streams(&[orphan.stream])
            .await?
            .pop()
            .unwrap_or_default();
        let Some((recorded, orphaned)) = history.iter().find_map(|event| match &event.fact.event {
            Event::ReceiptOrphaned(orphaned) if event.fact.id == orphan.orphan => {
                Some((event, orphaned))
            }
            _ => None,
        }) else {
            return Ok(false);
        };
        let keys = self.keyring.of_tenants(&[found.tenant]).await?;
        // While the tenant's key does not open, its orphans wait.
        let Some(Ok(tenant)) = keys.get(&found.tenant).map(KnownTenant::unlocked) else {
            return Ok(false);
        };
        let message_id = found.message.id;
        let stream = StreamId::message(message_id);
        let Some(received) = self.receipt_again(recorded, orphaned).await? else {
            return Ok(false);
        };
        let facts = received.facts.clone();
        let trace = recorded.fact.trace.clone();
        let command = recordable(received, found, tenant, trace.clone());
        match ask(&self.messages, stream, command).await {
            Some(Verdict::Recorded { .. } | Verdict::Known { .. }) => {}
            _ => return Ok(false),
        }
        // The receipt has its effects now. If we stop here, the next pass finds it known.
        let matched = OrphanMatched {
            orphan_id: orphan.orphan,
            message_id,
            receipt_id: EventId::of_receipt(
                stream,
                facts.operator_id,
                &facts.operator_message_id,
                facts.dlr_status,
            ),
        };
        let command = MatchOrphan {
            matched,
            occurred_at: facts.delivered_at,
            trace,
        };
        let verdict = ask(&self.orphans, orphan.stream, OrphanCommand::Match(command)).await;
        Ok(matches!(verdict, Some(Verdict::Recorded { .. })))
    }

    /// The receipt as it came, its personal data opened with the key of its day; nothing while
    /// that key does not open.
    async fn receipt_again(
        &self,
        recorded: &RecordedEvent,
        orphaned: &ReceiptOrphaned,
    ) -> Result<Option<ReceivedReceipt>, HealingError> {
        let sealed = &recorded.fact.sealed.0;
        let ids: Vec<i64> = sealed
            .values()
            .filter_map(|value| seal::key_of(value).ok())
            .collect();
        let keys = self.keyring.by_id(&ids).await?;
        if keys.values().any(Result::is_err) {
            return Ok(None);
        }
        let open = |field: &'static str| -> Option<Personal> {
            let value = sealed.get(field)?;
            let key = keys.get(&seal::key_of(value).ok()?)?.as_ref().ok()?;
            let place = Place {
                log: self.log,
                stream: recorded.stream,
                version: recorded.version,
                field,
            };
            // What does not open (a destroyed key) is gone; the receipt counts all the same.
            key.open(&place, value).ok()
        };
        Ok(Some(ReceivedReceipt {
            facts: orphaned.receipt.clone(),
            private: ReceiptPrivate {
                source_addr: open(Sealed::SOURCE_ADDR),
                dest_addr: open(Sealed::DEST_ADDR),
                raw_payload: open(Sealed::RAW_PAYLOAD),
            },
            message_hint: orphaned.message_hint,
            foreign_schema_version: false,
            error_code_left_out: false,
        }))
    }
}

fn unresolved(row: &tokio_postgres::Row) -> Option<Unresolved> {
    use schema::{MessageId, OperatorId, OperatorMessageId};
    let operator = OperatorId(Uuid::parse_str(row.get(2)).ok()?);
    let operator_message = OperatorMessageId::new(row.get(3))?;
    Some(Unresolved {
        position: row.get(0),
        orphan: EventId(row.get(1)),
        stream: StreamId::orphan(operator, &operator_message),
        wanted: Wanted {
            operator,
            operator_message,
            hint: row.get::<_, Option<Uuid>>(4).map(MessageId),
        },
    })
}
