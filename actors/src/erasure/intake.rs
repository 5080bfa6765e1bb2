//! Intake: from the consumer `billing-tenant-consumer` to the streams of tenants.
//!
//! An announcement is acknowledged once it stands in the log that the tenant is to be erased. Doing
//! it is not for a service: see [`super::completion`]. There are few of these messages, so each is
//! dealt with by itself.

use std::sync::Arc;

use eventstore::{
    EventStore, StoreError,
    keyring::{Keyring, KeyringError},
    log::chain,
};
use schema::{Invalid, ReceivedErasure, StreamId, event::ErasureRequested};
use tokio::sync::watch;

use super::{
    decide::{Erasure, Tenant, TenantCommand, TenantDecider},
    metrics::ErasureMetrics,
};
use crate::runtime::{
    decider::folded,
    directory::{self, DirectoryRef},
    intake::{Batch, Delivery, PullError, PullOptions, Source, pull},
    origin::Origin,
    pulse::Pulse,
    stream_actor::Verdict,
};

/// In whose name announcements are recorded.
const PRINCIPAL: &str = "billing-service";
/// Few come, and each is looked at by itself.
const OPTIONS: PullOptions = PullOptions {
    batch: 16,
    in_flight_max: 64,
};

/// What intake works with. Cheap to clone.
#[derive(Clone)]
pub struct Intake {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Says which pseudonym a tenant has, and had.
    pub keyring: Arc<dyn Keyring>,
    /// The streams of tenants.
    pub tenants: DirectoryRef<TenantDecider>,
    /// What is counted.
    pub metrics: ErasureMetrics,
    /// Told whether messages are being pulled.
    pub pulse: Arc<Pulse>,
}

/// Why an announcement could not be recorded. It comes again.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("finding the tenant")]
    Keyring(#[from] KeyringError),
    #[error("reading the tenant's earlier names")]
    Read(#[from] StoreError),
    #[error("recording that the tenant is to be erased")]
    Append(#[source] Arc<StoreError>),
    #[error("the actors are being started, or others are faster")]
    Undecided,
}

impl Intake {
    /// Takes in announcements until `stop` turns true, then waits for what is under way.
    ///
    /// # Errors
    /// The pull cannot go on; what is under way has been waited for all the same.
    pub async fn run(self, source: Source, stop: watch::Receiver<bool>) -> Result<(), PullError> {
        let take = |batch| self.clone().take(batch);
        pull(source, &OPTIONS, &self.pulse, stop, take, drop).await
    }

    /// Deals with a batch, and gives back what it was under way with.
    async fn take(self, batch: Batch) -> impl Send {
        for delivery in batch.messages.into_iter().filter_map(Delivery::of) {
            self.answer(delivery).await;
        }
        batch.permits
    }

    async fn answer(&self, delivery: Delivery) {
        let received = match ReceivedErasure::parse(delivery.payload(), delivery.arrived) {
            Ok(received) => received,
            Err(Invalid { reason, field }) => {
                let (sequence, size) = (delivery.sequence, delivery.payload().len());
                let reason = reason.as_str();
                self.metrics.count("invalid");
                tracing::error!(event = "erasure.invalid", sequence, size, reason, field);
                return delivery.terminate(reason).await;
            }
        };
        match self.request(&received, delivery.trace()).await {
            Ok(new) => {
                self.metrics
                    .count(if new { "requested" } else { "duplicate" });
                delivery.done().await;
            }
            Err(fault) => {
                self.metrics.count("error");
                tracing::error!(event = "erasure.error", error = %chain(&fault));
                delivery.again().await;
            }
        }
    }

    /// Has it recorded that the tenant is to be erased; says whether that is news. A tenant that
    /// nobody heard of gets a name first: what is still to come of it must not make it known anew.
    async fn request(
        &self,
        received: &ReceivedErasure,
        trace: Option<String>,
    ) -> Result<bool, Fault> {
        let announcement = received.source_event_id.0;
        if self.is_past(received).await? {
            return Ok(false);
        }
        let tenant = self.keyring.of_tenant(received.tenant).await?.pseudonym;
        let command = TenantCommand {
            tenant,
            erasure: Erasure::Request(ErasureRequested {
                source_event_id: announcement,
                erased_at: received.erased_at,
                received_at: received.received_at,
            }),
            origin: Origin {
                request: announcement,
                time: received.received_at,
                principal: PRINCIPAL.into(),
                trace,
            },
        };
        let verdict = directory::ask(&self.tenants, command.stream(), command).await;
        let new = match verdict.ok_or(Fault::Undecided)? {
            Verdict::Recorded { .. } => true,
            Verdict::Known { .. } => false,
            Verdict::Failed(fault) => return Err(Fault::Append(fault)),
            // It is refused never and rests on no other stream.
            Verdict::Refused(_) | Verdict::GuardMoved(_) | Verdict::Contended => {
                return Err(Fault::Undecided);
            }
        };
        if new {
            tracing::info!(event = "erasure.requested", tenant = %tenant.0);
        }
        Ok(new)
    }

    /// Whether the announcement was about the tenant under an earlier name: it was carried out, and
    /// who was registered anew since then is not meant.
    async fn is_past(&self, received: &ReceivedErasure) -> Result<bool, Fault> {
        let earlier = self.keyring.erased_before(received.tenant).await?;
        let streams: Vec<StreamId> = earlier.into_iter().map(StreamId::tenant).collect();
        if streams.is_empty() {
            return Ok(false);
        }
        let histories = self.store.read_streams(&streams).await?;
        Ok(histories.iter().any(|history| {
            let tenant: Tenant = folded::<TenantDecider>(history);
            tenant
                .requested()
                .is_some_and(|request| request.source_event_id == received.source_event_id.0)
        }))
    }
}
