//! Intake: from the consumer `dlr-processor` to verdicts, and back to acknowledgements.
//!
//! A batch is checked, correlated with one query and handed to the directories; batches overlap
//! but are handed out in order, so that receipts of one message stay in order. A message is
//! acknowledged only after its facts are committed. How batches come, see `runtime::intake`.

mod batch;
mod bounds;

use std::{sync::Arc, time::Duration};

use eventstore::{Feed, keyring::Keyring};
use tokio::sync::watch;

pub use self::bounds::{OrphanQuota, WaitingRoom};
use super::{
    correlate::Correlator,
    decide::{message::MessageDecider, orphan::OrphanDecider},
    metrics::DlrMetrics,
};
use crate::runtime::{
    directory::DirectoryRef,
    intake::{Adopt, PullError, PullOptions, Source, pull},
    pulse::Pulse,
};

/// The settings of the receipts' intake.
#[derive(Debug, Clone)]
pub struct IntakeOptions {
    /// The most messages of one batch.
    pub batch: usize,
    /// The most messages taken and not yet acknowledged.
    pub in_flight_max: usize,
    /// How long a receipt may wait for its message before it is an orphan.
    pub grace: Duration,
    /// How long before its receipts a message may have been handed in.
    pub match_window: Duration,
    /// How many receipts may wait out their grace period at the same time.
    pub waiting_max: usize,
    /// How many orphans are kept of an operator and hour.
    pub orphans_per_hour: u32,
}

/// What intake works with. Cheap to clone.
#[derive(Clone)]
pub struct Intake {
    /// The settings.
    pub options: IntakeOptions,
    /// Finds messages.
    pub correlator: Correlator,
    /// Gives keys to seal under.
    pub keyring: Arc<dyn Keyring>,
    /// Where receipts of messages go.
    pub messages: DirectoryRef<MessageDecider>,
    /// The directory of orphans' streams.
    pub orphans: DirectoryRef<OrphanDecider>,
    /// Where receipts wait for their messages.
    pub waiting: WaitingRoom,
    /// How many orphans of an operator are kept per hour.
    pub quota: OrphanQuota,
    /// The metrics of the service.
    pub metrics: Arc<DlrMetrics>,
    /// Told whether messages are being pulled.
    pub pulse: Arc<Pulse>,
    /// Hangs a span on the caller's span that a `traceparent` names.
    pub adopt: Adopt,
    /// Says whether the log is still the one that the actors remember.
    pub feed: Arc<Feed>,
    /// Which incarnation of it they remember.
    pub incarnation: u64,
}

impl Intake {
    /// Takes in messages until `stop` turns true, then waits for what is under way.
    ///
    /// # Errors
    /// The pull cannot go on; what is under way has been waited for all the same.
    pub async fn run(self, source: Source, stop: watch::Receiver<bool>) -> Result<(), PullError> {
        let prepare = |batch| self.clone().prepare(batch);
        let hand_out = |prepared| self.hand_out(prepared);
        let options = PullOptions {
            batch: self.options.batch,
            in_flight_max: self.options.in_flight_max,
        };
        pull(source, &options, &self.pulse, stop, prepare, hand_out).await
    }
}
