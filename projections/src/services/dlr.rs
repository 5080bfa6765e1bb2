//! What `tollbook dlr` shows.

use std::sync::Arc;

use eventstore::keyring::Keyring;

use crate::{Projection, receipts};

/// Its projections, those that publish through `client`.
#[must_use]
pub fn projections(
    client: &async_nats::Client,
    keyring: &Arc<dyn Keyring>,
) -> Vec<Arc<dyn Projection>> {
    receipts::projections(client, keyring)
}
