//! `tollbook provision`: creates or updates the NATS streams and consumers.

use std::sync::Arc;

use async_nats::jetstream;

use super::{RoleError, say};
use crate::{
    cli::ProvisionSettings,
    nats::{
        self,
        provision::{self, Wishes},
    },
};

const MIB: i64 = 1024 * 1024;

/// Does it, and says what was done.
///
/// # Errors
/// NATS cannot be reached, or something exists that cannot be changed.
pub async fn run(settings: &ProvisionSettings) -> Result<(), RoleError> {
    let options = settings.nats.options()?;
    let client = nats::connect(&options, nats::ADMIN, Arc::default(), Arc::default()).await?;
    let wishes = Wishes {
        dlr_stream: settings.nats.nats_stream_dlr.clone(),
        replicas: usize::from(settings.nats_replicas),
        stream_bytes_max: i64::from(settings.nats_stream_mib_max) * MIB,
        dlr_max_ack_pending: settings.dlr_max_ack_pending,
    };
    provision::run(&jetstream::new(client), &wishes, |done, thing| {
        say(format_args!("{:<9} {thing}", done.as_str()));
    })
    .await?;
    Ok(())
}
