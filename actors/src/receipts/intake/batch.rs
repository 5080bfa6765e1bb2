//! One batch on its way: checked, correlated, handed out, acknowledged.

use std::{convert::Infallible, sync::Arc, time::Duration};

use eventstore::{
    Feed,
    keyring::{KeyringError, KnownTenant, TenantKey},
    log::chain,
    seal::DataKey,
};
use schema::{
    AccountId, Invalid, MessageId, OperatorId, ReceivedReceipt, Status, StreamId, TenantId,
    Timestamp,
};
use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::timeout,
};
use tracing::Span;

use super::{Intake, OrphanQuota};
use crate::{
    receipts::{
        correlate::{FindMessages as _, Found, Wanted},
        decide::{
            message::{KeepsNoMore, MessageDecider, RecordReceipt},
            orphan::{KeepOrphan, OrphanCommand, OrphanDecider},
        },
        metrics::{DlrMetrics, OperatorMetrics},
    },
    runtime::{
        directory,
        intake::{Batch, Delivery, age, sampled},
        stream_actor::{Request, Verdict},
    },
};

/// How long it may take until the log has been looked at.
const CONFIRMATION: Duration = Duration::from_secs(5);

/// A valid message on its way.
struct Taken {
    delivery: Delivery,
    received: ReceivedReceipt,
    trace: Option<String>,
    operator: Arc<OperatorMetrics>,
    span: Span,
}

/// A batch that waits for its turn to be handed out.
pub(super) struct Prepared {
    permits: Option<OwnedSemaphorePermit>,
    messages: Vec<(StreamId, Request<MessageDecider>)>,
    orphans: Vec<(StreamId, Request<OrphanDecider>)>,
    waiting: Vec<Waiting>,
}

/// What is awaited: the verdict on a receipt of a message, or on one without.
enum Awaited {
    Matched(
        MessageId,
        AccountId,
        oneshot::Receiver<Verdict<KeepsNoMore>>,
    ),
    Orphaned(OrphanQuota, oneshot::Receiver<Verdict<Infallible>>),
}

impl Awaited {
    /// The verdict; nothing if whoever was asked went away.
    async fn verdict(&mut self) -> Option<Verdict<KeepsNoMore>> {
        match self {
            Self::Matched(.., verdict) => verdict.await.ok(),
            Self::Orphaned(_, verdict) => verdict.await.ok().map(Verdict::widen),
        }
    }
}

/// A message whose verdict is awaited.
struct Waiting {
    delivery: Delivery,
    awaited: Awaited,
    operator: Arc<OperatorMetrics>,
    operator_id: OperatorId,
    status: Status,
    implausible: bool,
    span: Span,
}

impl Intake {
    /// Checks and correlates a batch. Whatever cannot go on is answered here: what is invalid is
    /// terminated, what is too early or hit by a fault comes again.
    pub(super) async fn prepare(self, batch: Batch) -> Prepared {
        let mut prepared = Prepared {
            permits: batch.permits,
            messages: Vec::new(),
            orphans: Vec::new(),
            waiting: Vec::with_capacity(batch.messages.len()),
        };
        let mut taken = Vec::with_capacity(batch.messages.len());
        for delivery in batch.messages.into_iter().filter_map(Delivery::of) {
            taken.extend(self.check(delivery).await);
        }
        if !taken.is_empty() {
            self.correlate(taken, &mut prepared).await;
        }
        prepared
    }

    /// Reads a message, or terminates it: it would be as invalid the next time.
    async fn check(&self, delivery: Delivery) -> Option<Taken> {
        let sequence = delivery.sequence;
        match ReceivedReceipt::parse(delivery.payload(), delivery.arrived) {
            Ok(received) => {
                let operator = self.metrics.operator(received.facts.operator_id);
                if delivery.deliveries == 1 {
                    operator.received();
                }
                tracing::debug!(event = "dlr.received", sequence, operatorId = %received.facts.operator_id);
                if received.foreign_schema_version {
                    self.metrics.foreign_schema_version.inc();
                }
                if received.error_code_left_out {
                    self.metrics.error_codes_left_out.inc();
                }
                let trace = delivery.trace();
                Some(Taken {
                    span: self.span(trace.as_deref()),
                    delivery,
                    received,
                    trace,
                    operator,
                })
            }
            Err(Invalid { reason, field }) => {
                let (reason, size) = (reason.as_str(), delivery.payload().len());
                self.metrics.validation_error(reason);
                tracing::warn!(
                    event = "dlr.validation_failed",
                    sequence,
                    size,
                    reason,
                    field
                );
                delivery.terminate(reason).await;
                None
            }
        }
    }

    /// A span on the sender's trace, if the sender keeps one.
    fn span(&self, trace: Option<&str>) -> Span {
        let Some(sampled) = sampled(trace) else {
            return Span::none();
        };
        let span = tracing::info_span!("dlr.receipt");
        (self.adopt)(&span, sampled);
        span
    }

    async fn correlate(&self, taken: Vec<Taken>, prepared: &mut Prepared) {
        let wanted: Vec<Wanted> = taken.iter().map(|one| Wanted::of(&one.received)).collect();
        let found = match self.correlator.find(&wanted).await {
            Ok(found) => found,
            Err(fault) => return self.send_back(taken, "correlate", &fault).await,
        };
        let mut tenants: Vec<TenantId> = found.iter().flatten().map(|found| found.tenant).collect();
        tenants.sort_unstable();
        tenants.dedup();
        let keys = match self.keyring.of_tenants(&tenants).await {
            Ok(keys) => keys,
            Err(fault) => return self.send_back(taken, "keyring", &fault).await,
        };
        let known = taken
            .iter()
            .zip(&found)
            .filter(|(_, found)| found.is_some());
        self.quota
            .know(known.map(|(taken, _)| taken.received.facts.operator_id));
        for (taken, found) in taken.into_iter().zip(found) {
            let Some(found) = found else {
                self.unmatched(taken, prepared).await;
                continue;
            };
            match keys.get(&found.tenant).map(KnownTenant::unlocked) {
                Some(Ok(tenant)) => prepared.matched(taken, found, tenant),
                // Nothing can be sealed for this tenant, as if its message were not there yet:
                // reconciliation records the receipt once the key opens. The others go on.
                Some(Err(_)) => self.unmatched(taken, prepared).await,
                // Its key is being destroyed or made: neither is for us to guess.
                None => {
                    self.send_back(vec![taken], "keyring", &KeyringError::Absent)
                        .await;
                }
            }
        }
    }

    /// Too early, or an orphan: the orchestrator may still be writing the message's row. If too
    /// many wait for that already, it is an orphan at once, and is matched when its message comes.
    async fn unmatched(&self, taken: Taken, prepared: &mut Prepared) {
        let arrived = taken.received.facts.received_at;
        let age = age(arrived);
        let left = self.options.grace.saturating_sub(age);
        if !left.is_zero() {
            // Twice as long each time, so that few tries fill the grace period.
            let delay = age.max(self.options.grace / 20).min(left);
            if self.waiting.enter(delay) {
                return taken.delivery.later(delay).await;
            }
            self.metrics.grace_cut_short.inc();
        }
        match self.keyring.of_day(arrived.date()).await {
            Ok(key) if self.quota.take(taken.received.facts.operator_id, arrived) => {
                prepared.orphaned(taken, key, self);
            }
            Ok(_) => {
                // The stream keeps it for as long as it keeps anything: it can be taken in again.
                taken.operator.over_quota();
                taken.delivery.done().await;
            }
            Err(fault) => self.send_back(vec![taken], "keyring", &fault).await,
        }
    }

    async fn send_back(
        &self,
        taken: Vec<Taken>,
        operation: &'static str,
        fault: &(dyn std::error::Error + Send + Sync + 'static),
    ) {
        self.metrics.db_error(operation);
        let receipts = taken.len();
        tracing::error!(event = "dlr.db_error", operation, receipts, error = %chain(fault));
        for one in taken {
            one.delivery.again().await;
        }
    }

    /// Gives a batch to the directories and acknowledges it when its verdicts are in.
    pub(super) fn hand_out(&self, prepared: Prepared) {
        let Prepared {
            permits,
            messages,
            orphans,
            waiting,
        } = prepared;
        // A directory that is gone drops its requests; their messages are sent back below.
        if !messages.is_empty() {
            let _ = self.messages.cast(directory::Msg::Batch(messages));
        }
        if !orphans.is_empty() {
            let _ = self.orphans.cast(directory::Msg::Batch(orphans));
        }
        let metrics = Arc::clone(&self.metrics);
        let (feed, incarnation) = (Arc::clone(&self.feed), self.incarnation);
        tokio::spawn(async move {
            let mut known = Vec::new();
            for one in waiting {
                known.extend(one.finish(&metrics).await);
            }
            answer_known(known, &feed, incarnation).await;
            drop(permits);
        });
    }
}

impl Prepared {
    fn matched(&mut self, taken: Taken, found: Found, tenant: TenantKey) {
        let message = &found.message;
        let stream = StreamId::message(message.id);
        let (reply, verdict) = oneshot::channel();
        let awaited = Awaited::Matched(message.id, message.account, verdict);
        let (waiting, received, trace) = taken.wait_for(awaited, message.enqueued_at);
        let command = Box::new(RecordReceipt::new(received, found.message, tenant, trace));
        self.messages.push((stream, Request { command, reply }));
        self.waiting.push(waiting);
    }

    fn orphaned(&mut self, taken: Taken, key: DataKey, intake: &Intake) {
        let match_window = intake.options.match_window;
        let (reply, verdict) = oneshot::channel();
        let awaited = Awaited::Orphaned(intake.quota.clone(), verdict);
        let earliest = taken.received.facts.received_at.datetime() - match_window;
        let (waiting, received, trace) =
            taken.wait_for(awaited, Timestamp::from_datetime(earliest));
        let keep = KeepOrphan::new(received, key, match_window, trace);
        let stream = keep.stream();
        let command = Box::new(OrphanCommand::Keep(keep));
        self.orphans.push((stream, Request { command, reply }));
        self.waiting.push(waiting);
    }
}

/// Answers what an actor knew from memory. It is acknowledged only if the log turns out to be still
/// the one that the actor remembers: otherwise what it knew may be gone.
async fn answer_known(known: Vec<Delivery>, feed: &Feed, incarnation: u64) {
    if known.is_empty() {
        return;
    }
    let still = timeout(CONFIRMATION, feed.is_still(incarnation)).await;
    for delivery in known {
        if still == Ok(true) {
            delivery.done().await;
        } else {
            delivery.again().await;
        }
    }
}

impl Taken {
    /// Parts what is decided about from what waits for the decision. Nothing of it happened
    /// before `earliest`.
    fn wait_for(
        self,
        awaited: Awaited,
        earliest: Timestamp,
    ) -> (Waiting, ReceivedReceipt, Option<String>) {
        let facts = &self.received.facts;
        let waiting = Waiting {
            awaited,
            operator: self.operator,
            operator_id: facts.operator_id,
            status: facts.dlr_status,
            implausible: facts.is_implausible(earliest),
            span: self.span,
            delivery: self.delivery,
        };
        (waiting, self.received, self.trace)
    }
}

impl Waiting {
    /// Waits for the verdict and answers the message, except where it is known already: that is
    /// left to [`answer_known`]. If we stop before, it is redelivered and found to be known.
    async fn finish(mut self, metrics: &DlrMetrics) -> Option<Delivery> {
        let verdict = self.awaited.verdict().await;
        let kept = matches!(verdict, Some(Verdict::Recorded { .. }));
        if let Awaited::Orphaned(quota, _) = &self.awaited
            && !kept
        {
            quota.give_back(self.operator_id, self.delivery.arrived);
        }
        let known = matches!(verdict, Some(Verdict::Known { .. }));
        let done = self.span.in_scope(|| self.count(verdict, metrics));
        if known {
            return Some(self.delivery);
        }
        if done {
            self.delivery.done().await;
        } else {
            self.delivery.again().await;
        }
        None
    }

    /// Counts and tells what became of it; says whether it is done with.
    fn count(&self, verdict: Option<Verdict<KeepsNoMore>>, metrics: &DlrMetrics) -> bool {
        match verdict {
            Some(Verdict::Recorded { .. }) => {
                self.recorded(metrics);
                true
            }
            Some(Verdict::Known { .. }) => {
                self.operator.duplicate();
                tracing::debug!(event = "dlr.duplicate", operatorId = %self.operator_id);
                true
            }
            Some(Verdict::Failed(fault)) => {
                metrics.db_error("append");
                let error = chain(&*fault);
                tracing::error!(event = "dlr.db_error", operation = "append", error);
                false
            }
            Some(Verdict::GuardMoved(_) | Verdict::Contended) | None => false,
            Some(Verdict::Refused(KeepsNoMore)) => {
                self.operator.beyond_limit();
                tracing::debug!(event = "dlr.beyond_limit", operatorId = %self.operator_id);
                true
            }
        }
    }

    fn recorded(&self, metrics: &DlrMetrics) {
        let status = self.status;
        let took = age(self.delivery.arrived);
        metrics.processing_took(status, took);
        metrics.implausible_time.inc_by(u64::from(self.implausible));
        match &self.awaited {
            Awaited::Matched(message, account, _) => {
                self.operator.processed(status, 1);
                tracing::info!(
                    event = "dlr.correlated",
                    messageId = %message,
                    accountId = %account,
                    operatorId = %self.operator_id,
                    dlrStatus = status.as_str(),
                    durationMs = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                );
            }
            Awaited::Orphaned(..) => {
                self.operator.orphaned();
                tracing::warn!(
                    event = "dlr.orphaned",
                    operatorId = %self.operator_id,
                    dlrStatus = status.as_str(),
                );
            }
        }
    }
}
