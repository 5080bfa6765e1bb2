//! Intake: from the consumer `billing-consumer` to tenants' actors, and back to acknowledgements.
//!
//! A batch is checked, grouped by tenant and handed to the registry as one message. Each tenant's
//! group is answered on its own, once its charges are committed, so that a slow tenant does not
//! hold up the others. How batches come, see [`crate::runtime::intake`].

use std::{collections::HashMap, sync::Arc};

use eventstore::{
    keyring::{Keyring, KeyringError, KnownTenant},
    log::chain,
};
use ractor::ActorRef;
use schema::{Invalid, Pseudonym, ReceivedSettlement, TenantId};
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};
use tracing::Span;

use super::{
    charging::{Arrived, Disposition},
    decide::charge::ChargeRequest,
    metrics::BillingMetrics,
    tenant_actor::{Settle, Work},
    tenants,
};
use crate::runtime::{
    intake::{Adopt, Batch, Delivery, PullError, PullOptions, Source, pull, sampled},
    pulse::Pulse,
};

/// What intake works with. Cheap to clone.
#[derive(Clone)]
pub struct Intake {
    /// How much is taken at a time.
    pub options: PullOptions,
    /// Says which pseudonym a tenant has.
    pub keyring: Arc<dyn Keyring>,
    /// The registry of tenants, which settlements are given to.
    pub tenants: ActorRef<tenants::Msg>,
    /// The metrics of the service.
    pub metrics: Arc<BillingMetrics>,
    /// Told whether messages are being pulled.
    pub pulse: Arc<Pulse>,
    /// Hangs a span on the caller's span that a `traceparent` names.
    pub adopt: Adopt,
}

/// A valid message on its way.
struct Taken {
    delivery: Delivery,
    received: ReceivedSettlement,
}

/// A batch that waits for its turn to be handed out.
pub(super) struct Prepared {
    permits: Option<OwnedSemaphorePermit>,
    groups: HashMap<Pseudonym, Group>,
}

/// What one tenant gets of a batch.
#[derive(Default)]
struct Group {
    arrived: Vec<Arrived>,
    /// In the same order.
    deliveries: Vec<Delivery>,
}

impl Intake {
    /// Takes in messages until `stop` turns true, then waits for what is under way.
    ///
    /// # Errors
    /// The pull cannot go on; what is under way has been waited for all the same.
    pub async fn run(self, source: Source, stop: watch::Receiver<bool>) -> Result<(), PullError> {
        let prepare = |batch| self.clone().prepare(batch);
        let hand_out = |prepared| self.hand_out(prepared);
        pull(source, &self.options, &self.pulse, stop, prepare, hand_out).await
    }

    /// Checks a batch and groups it. Whatever cannot go on is answered here: what is invalid is
    /// terminated, what is hit by a fault comes again.
    async fn prepare(self, batch: Batch) -> Prepared {
        let mut prepared = Prepared {
            permits: batch.permits,
            groups: HashMap::new(),
        };
        let mut taken = Vec::with_capacity(batch.messages.len());
        for delivery in batch.messages.into_iter().filter_map(Delivery::of) {
            taken.extend(self.check(delivery).await);
        }
        let mut tenants: Vec<TenantId> = taken.iter().map(|one| one.received.tenant).collect();
        tenants.sort_unstable();
        tenants.dedup();
        match self.keyring.of_tenants(&tenants).await {
            Ok(tenants) => self.group(taken, &tenants, &mut prepared).await,
            Err(fault) => self.send_back(taken, &fault).await,
        }
        prepared
    }

    /// Reads a message, or terminates it: it would be as invalid the next time.
    async fn check(&self, delivery: Delivery) -> Option<Taken> {
        match ReceivedSettlement::parse(delivery.payload(), delivery.arrived) {
            Ok(received) => {
                if received.foreign_schema_version {
                    self.metrics.foreign_schema_version.inc();
                }
                if delivery.is_again() {
                    self.metrics.announced_again.inc();
                }
                Some(Taken { delivery, received })
            }
            Err(Invalid { reason, field }) => {
                let (sequence, size) = (delivery.sequence, delivery.payload().len());
                let reason = reason.as_str();
                self.metrics.validation_error(reason);
                tracing::warn!(
                    event = "billing.validation_failed",
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

    async fn group(
        &self,
        taken: Vec<Taken>,
        tenants: &HashMap<TenantId, KnownTenant>,
        prepared: &mut Prepared,
    ) {
        for Taken { delivery, received } in taken {
            // Nothing of a charge is sealed, so a key that does not open is no matter here.
            let Some(tenant) = tenants.get(&received.tenant) else {
                // Its key is being destroyed or made: neither is for us to guess.
                let taken = vec![Taken { delivery, received }];
                self.send_back(taken, &KeyringError::Absent).await;
                continue;
            };
            let trace = delivery.trace();
            let span = self.span(trace.as_deref());
            let request = ChargeRequest::new(
                tenant.pseudonym,
                received.account,
                received.settlement,
                trace,
            );
            let group = prepared.groups.entry(tenant.pseudonym).or_default();
            group.arrived.push(Arrived { request, span });
            group.deliveries.push(delivery);
        }
    }

    /// A span on the sender's trace, if the sender keeps one.
    fn span(&self, trace: Option<&str>) -> Option<Span> {
        let sampled = sampled(trace)?;
        let span = tracing::info_span!("billing.ingest_event");
        (self.adopt)(&span, sampled);
        Some(span)
    }

    async fn send_back(&self, taken: Vec<Taken>, fault: &KeyringError) {
        self.metrics.pg_error("keyring");
        let (operation, settlements) = ("keyring", taken.len());
        tracing::error!(event = "billing.db_error", operation, settlements, error = %chain(fault));
        for one in taken {
            one.delivery.again().await;
        }
    }

    /// Gives a batch to the tenants; each group is answered when it is on disk.
    fn hand_out(&self, prepared: Prepared) {
        let mut permits = prepared.permits;
        let mut works = Vec::with_capacity(prepared.groups.len());
        for (
            tenant,
            Group {
                arrived,
                deliveries,
            },
        ) in prepared.groups
        {
            let (reply, dispositions) = oneshot::channel();
            works.push((tenant, Work::Settle(Settle { arrived, reply })));
            let permits = permits.as_mut().and_then(|all| all.split(deliveries.len()));
            tokio::spawn(async move {
                let dispositions = dispositions.await.unwrap_or_default();
                answer(deliveries, dispositions).await;
                drop(permits);
            });
        }
        // A registry that is gone drops its work; the messages are sent back above.
        if !works.is_empty() {
            let _ = self.tenants.cast(tenants::Msg::Work(works));
        }
    }
}

/// Answers each message as its disposition says. If we stop before, it is redelivered and a repeat.
async fn answer(deliveries: Vec<Delivery>, dispositions: Vec<Disposition>) {
    let dispositions = dispositions
        .into_iter()
        .chain(std::iter::repeat(Disposition::Again));
    for (delivery, disposition) in deliveries.into_iter().zip(dispositions) {
        match disposition {
            Disposition::Charged { .. }
            | Disposition::Held
            | Disposition::Duplicate
            | Disposition::Conflict => {
                delivery.done().await;
            }
            Disposition::Again => delivery.again().await,
        }
    }
}
