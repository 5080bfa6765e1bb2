//! Records receipts with the messages they were found to belong to, then their matches.
//!
//! All orphans of a look go together: one read of their streams, one look at the keys, one batch
//! for the messages and one for the orphans. Both records are idempotent, so stopping in between
//! does no harm: the next look finds the receipt known and records the match.

use std::collections::{BTreeMap, HashMap};

use eventstore::{
    LogId, RecordedEvent,
    keyring::{KnownTenant, Locked},
    seal::{self, DataKey, Place},
};
use schema::{
    Event, EventId, Personal, ReceiptPrivate, ReceivedReceipt, Sealed, StreamId, TenantId,
    event::{OrphanMatched, ReceiptOrphaned},
};
use tokio::sync::watch;

use super::{Arrival, OpenOrphan, Reconciliation, ReconciliationError};
use crate::{
    receipts::{
        correlate::Found,
        decide::{
            message::{KeepsNoMore, RecordReceipt},
            orphan::{MatchOrphan, OrphanCommand},
        },
    },
    runtime::{directory::ask_all, stream_actor::Verdict},
};

/// An orphan with the message it found and what the log says of it.
struct Pair<'a> {
    orphan: OpenOrphan,
    found: Found,
    recorded: &'a RecordedEvent,
    orphaned: &'a ReceiptOrphaned,
}

/// What an orphan says of people, opened.
struct Opened {
    private: ReceiptPrivate,
    /// Whether something of it is lost.
    lost: bool,
}

/// What opens and seals the personal data of all of them.
struct Keys {
    tenants: HashMap<TenantId, KnownTenant>,
    days: HashMap<i64, Result<DataKey, Locked>>,
}

impl Reconciliation {
    /// Matches those of `open` whose message is there; says how many that were.
    pub(super) async fn match_open(
        &self,
        open: BTreeMap<Arrival, OpenOrphan>,
        stop: &watch::Receiver<bool>,
    ) -> Result<usize, ReconciliationError> {
        let open: Vec<OpenOrphan> = open.into_values().collect();
        let wanted: Vec<_> = open.iter().map(|open| open.wanted.clone()).collect();
        let found = self.correlator.find(&wanted).await?;
        let pairs = open.into_iter().zip(found);
        let pairs: Vec<_> = pairs
            .filter_map(|(open, found)| Some((open, found?)))
            .collect();
        if pairs.is_empty() || *stop.borrow() {
            return Ok(0);
        }
        let mut streams: Vec<StreamId> = pairs.iter().map(|(open, _)| open.stream()).collect();
        streams.sort_unstable();
        streams.dedup();
        let histories = self.store.read_streams(&streams).await?;
        let events: HashMap<EventId, &RecordedEvent> = histories
            .iter()
            .flatten()
            .map(|event| (event.data.id, event))
            .collect();
        let pairs: Vec<Pair<'_>> = pairs
            .into_iter()
            .filter_map(|(open, found)| Pair::of(open, found, &events))
            .collect();
        let keys = self.keys(&pairs).await?;
        self.record(pairs, &keys).await
    }

    async fn keys(&self, pairs: &[Pair<'_>]) -> Result<Keys, ReconciliationError> {
        let mut tenants: Vec<TenantId> = pairs.iter().map(|one| one.found.tenant).collect();
        tenants.sort_unstable();
        tenants.dedup();
        let sealed = pairs
            .iter()
            .flat_map(|one| one.recorded.data.sealed.0.values());
        let mut days: Vec<i64> = sealed
            .filter_map(|value| seal::key_of(value).ok())
            .collect();
        days.sort_unstable();
        days.dedup();
        Ok(Keys {
            tenants: self.keyring.of_tenants(&tenants).await?,
            days: self.keyring.by_id(&days).await?,
        })
    }

    /// Has every receipt recorded in its message's stream, then every match in its orphan's.
    async fn record(
        &self,
        pairs: Vec<Pair<'_>>,
        keys: &Keys,
    ) -> Result<usize, ReconciliationError> {
        let commands = pairs.iter().filter_map(|one| {
            let opened = one.open(self.log, keys)?;
            let told = (one, opened.lost);
            Some((told, one.command(opened, keys)?))
        });
        let (pairs, commands): (Vec<_>, Vec<_>) = commands.unzip();
        let streams = commands.into_iter().map(|command| {
            let stream = StreamId::message(command.message.id);
            (stream, command)
        });
        let verdicts = ask_all(&self.messages, streams).await;
        // Every receipt answered has its effects now. If we stop here, the next look finds it known.
        let matches = pairs
            .into_iter()
            .zip(verdicts)
            .filter_map(|((one, lost), verdict)| {
                let verdict = verdict?;
                if lost && matches!(verdict, Verdict::Recorded { .. }) {
                    self.tell_lost(one);
                }
                let matched = self.matched(one, &verdict)?;
                Some((one.orphan.stream(), OrphanCommand::Match(matched)))
            });
        let verdicts = ask_all(&self.orphans, matches.collect::<Vec<_>>()).await;
        let recorded = |verdict: &&Option<_>| matches!(verdict, Some(Verdict::Recorded { .. }));
        Ok(verdicts.iter().filter(recorded).count())
    }

    /// Says that a receipt was recorded without what it said of people.
    fn tell_lost(&self, one: &Pair<'_>) {
        self.metrics.orphans_without_data.inc();
        tracing::warn!(
            event = "dlr.orphan_without_data",
            orphanId = %one.orphan.id,
            messageId = %one.found.message.id,
            "its personal data does not open any more; it is recorded without"
        );
    }

    /// The match that follows from what became of the receipt; none if it has to come again.
    fn matched(&self, one: &Pair<'_>, verdict: &Verdict<KeepsNoMore>) -> Option<MatchOrphan> {
        let facts = &one.orphaned.receipt;
        let message = &one.found.message;
        let receipt_id = EventId::of_receipt(
            StreamId::message(message.id),
            facts.operator_id,
            &facts.operator_message_id,
            facts.dlr_status,
        );
        let receipt_id = match verdict {
            Verdict::Recorded { .. } => {
                let implausible = facts.is_implausible(message.enqueued_at);
                self.metrics.implausible_time.inc_by(u64::from(implausible));
                Some(receipt_id)
            }
            Verdict::Known { .. } => Some(receipt_id),
            Verdict::Refused(KeepsNoMore) => {
                self.metrics.operator(facts.operator_id).beyond_limit();
                None
            }
            Verdict::Failed(_) | Verdict::GuardMoved(_) | Verdict::Contended => return None,
        };
        let matched = OrphanMatched {
            orphan_id: one.orphan.id,
            message_id: message.id,
            receipt_id,
        };
        let trace = one.recorded.data.trace.clone();
        Some(MatchOrphan::new(matched, facts, trace))
    }
}

impl<'a> Pair<'a> {
    /// Nothing if the log does not know the orphan.
    fn of(
        orphan: OpenOrphan,
        found: Found,
        events: &HashMap<EventId, &'a RecordedEvent>,
    ) -> Option<Self> {
        let recorded = *events.get(&orphan.id)?;
        let Event::ReceiptOrphaned(orphaned) = &recorded.data.event else {
            return None;
        };
        Some(Self {
            orphan,
            found,
            recorded,
            orphaned,
        })
    }

    /// What the orphan says of people; nothing while the key of its day does not open, which may
    /// pass. Where it was destroyed, what it sealed is gone, and the receipt counts all the same.
    fn open(&self, log: LogId, keys: &Keys) -> Option<Opened> {
        let sealed = &self.recorded.data.sealed.0;
        let key_of = |value| keys.days.get(&seal::key_of(value).ok()?);
        if sealed.values().filter_map(key_of).any(Result::is_err) {
            return None;
        }
        let mut lost = false;
        let mut open = |field: &'static str| -> Option<Personal> {
            let value = sealed.get(field)?;
            let place = Place {
                log,
                stream: self.recorded.stream,
                version: self.recorded.version,
                field,
            };
            let key = key_of(value).and_then(|key| key.as_ref().ok());
            let opened = key.and_then(|key| key.open(&place, value).ok());
            lost |= opened.is_none();
            opened
        };
        let private = ReceiptPrivate {
            source_addr: open(Sealed::SOURCE_ADDR),
            dest_addr: open(Sealed::DEST_ADDR),
            raw_payload: open(Sealed::RAW_PAYLOAD),
        };
        Some(Opened { private, lost })
    }

    /// The receipt as it came, to be recorded; nothing while its tenant's key does not open, or is
    /// being made or destroyed.
    fn command(&self, opened: Opened, keys: &Keys) -> Option<RecordReceipt> {
        let tenant = keys.tenants.get(&self.found.tenant)?.unlocked().ok()?;
        let received = ReceivedReceipt {
            facts: self.orphaned.receipt.clone(),
            private: opened.private,
            message_hint: self.orphaned.message_hint,
            foreign_schema_version: false,
            error_code_left_out: false,
        };
        let trace = self.recorded.data.trace.clone();
        let message = self.found.message.clone();
        Some(RecordReceipt::new(received, message, tenant, trace))
    }
}
