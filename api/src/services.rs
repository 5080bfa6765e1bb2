//! What our services are to everybody else: one value each.
//!
//! The roles that run a service, `provision`, the checks at its start and the name in its logs follow
//! from that value and say none of it again. How a service works inside is its role's affair.

pub mod billing;
mod dlr;

use std::sync::Arc;

use eventstore::keyring::Keyring;
use projections::Projection;

use crate::{
    nats::{User, plan::StreamPlan},
    settings::NatsSettings,
};

pub use self::{billing::BILLING, dlr::DLR};

/// All of them.
pub static ALL: [&ServiceSpec; 2] = [&DLR, &BILLING];

/// A service, as NATS, Postgres, the probes and whoever reads its logs know it.
#[derive(Debug)]
pub struct ServiceSpec {
    /// The user of NATS. Its name is also the application that Postgres shows and the service in
    /// logs and traces.
    pub user: User,
    /// Where the messages come from that it takes in.
    pub intake: Intake,
    /// Consumers that are made for it beside that of its intake.
    pub other_consumers: &'static [&'static ConsumerSpec],
    /// Its role in Postgres, which may do what is declared for it.
    pub database_role: &'static str,
    /// What makes its projections.
    pub projections: MakeProjections,
    /// The port of its probes unless `PROBE_PORT` names another.
    pub probe_port: u16,
    /// The log event under which its projections tell that Postgres failed.
    pub db_error: &'static str,
}

/// Makes projections; those that publish do so through this client and open with these keys.
pub type MakeProjections = fn(&async_nats::Client, &Arc<dyn Keyring>) -> Vec<Arc<dyn Projection>>;

/// What a service takes in.
#[derive(Debug)]
pub struct Intake {
    /// Its consumer.
    pub consumer: ConsumerSpec,
    /// What the stream is called here; as a rule as it was planned.
    pub stream_name: fn(&NatsSettings) -> &str,
    /// The consumer with which `replay-intake` reads the stream again.
    pub replay: &'static str,
}

/// A durable pull consumer of ours.
#[derive(Debug)]
pub struct ConsumerSpec {
    /// The stream it reads.
    pub stream: StreamPlan,
    /// Its name.
    pub name: &'static str,
}

impl ServiceSpec {
    /// Its name, whoever asks.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.user.name
    }

    /// All consumers made for it.
    pub fn consumers(&self) -> impl Iterator<Item = &ConsumerSpec> {
        [&self.intake.consumer]
            .into_iter()
            .chain(self.other_consumers.iter().copied())
    }
}
