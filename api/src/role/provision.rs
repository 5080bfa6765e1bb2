//! `tollbook provision`: creates or updates the NATS streams and consumers.

use std::sync::Arc;

use async_nats::jetstream;

use super::{RoleError, say};
use crate::{
    cli::ProvisionSettings,
    nats::{
        self, Access,
        plan::{STREAMS, StreamPlan},
        provision::{self, StreamSize, WantedStream},
    },
    services::{self, ConsumerSpec},
};

const MIB: i64 = 1024 * 1024;
/// Of every consumer that has no setting.
const MAX_ACK_PENDING: u32 = 10_000;

/// Does it, and says what was done.
///
/// # Errors
/// NATS cannot be reached, or something exists that cannot be changed.
pub async fn run(settings: &ProvisionSettings) -> Result<(), RoleError> {
    let access = Access::new(settings.nats.options()?, nats::ADMIN)?;
    let client = nats::connect(&access, Arc::default(), Arc::default()).await?;
    let streams: Vec<_> = STREAMS
        .into_iter()
        .map(|plan| wanted(settings, plan))
        .collect();
    let size = StreamSize {
        replicas: usize::from(settings.nats_replicas),
        bytes_max: i64::from(settings.nats_stream_mib_max) * MIB,
    };
    provision::run(&jetstream::new(client), &streams, size, |done, thing| {
        say(format_args!("{:<9} {thing}", done.as_str()));
    })
    .await?;
    Ok(())
}

/// A stream as the settings name it, with the consumers that our services read it with.
fn wanted(settings: &ProvisionSettings, plan: StreamPlan) -> WantedStream<'_> {
    let mut name = plan.name;
    let mut consumers = Vec::new();
    for spec in services::ALL {
        for consumer in spec.consumers().filter(|consumer| consumer.stream == plan) {
            consumers.push((consumer.name, max_ack_pending(settings, consumer)));
        }
        if spec.intake.consumer.stream == plan {
            name = (spec.intake.stream_name)(&settings.nats);
        }
    }
    WantedStream {
        plan,
        name,
        consumers,
    }
}

/// The most messages that a consumer has delivered and that are not acknowledged.
fn max_ack_pending(settings: &ProvisionSettings, consumer: &ConsumerSpec) -> u32 {
    if consumer.name == services::DLR.intake.consumer.name {
        settings.dlr_max_ack_pending
    } else {
        MAX_ACK_PENDING
    }
}
