//! The projections whose effect is messages in `JetStream`. The log is their outbox.
//!
//! A batch counts as published when every message of it is acknowledged; then the checkpoint
//! moves. After a crash in between the same messages are published again under the same ids.

pub mod announcement;
pub mod outbox;
pub(crate) mod withheld;

pub use announcement::Announcement;
pub use outbox::{Outbox, PublishError};

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{
    RecordedEvent,
    keyring::{Keyring, KeyringError},
};
use schema::{Pseudonym, TenantId};

use crate::{ApplyError, Effect};

/// Makes ready to publish. Without a connection it fails here, before anybody holds a transaction
/// open; but a batch that says nothing on this subject needs none.
pub(crate) fn publishing(
    outbox: &Arc<Outbox>,
    announcements: Vec<Announcement>,
) -> Result<Box<dyn Effect>, ApplyError> {
    if !announcements.is_empty() {
        outbox.ready()?;
    }
    Ok(Box::new(Publishing {
        outbox: Arc::clone(outbox),
        announcements,
    }))
}

/// The messages of a batch on their way.
struct Publishing {
    outbox: Arc<Outbox>,
    announcements: Vec<Announcement>,
}

#[async_trait]
impl Effect for Publishing {
    async fn apply(&mut self, _: &Transaction<'_>) -> Result<(), ApplyError> {
        let announcements = std::mem::take(&mut self.announcements);
        Ok(self.outbox.publish_all(announcements).await?)
    }
}

/// Whose events these are; an erased tenant is absent.
pub(crate) async fn tenants_of<'a>(
    keyring: &dyn Keyring,
    events: impl Iterator<Item = &'a RecordedEvent>,
) -> Result<HashMap<Pseudonym, TenantId>, KeyringError> {
    let mut pseudonyms: Vec<Pseudonym> = events.filter_map(|event| event.data.tenant).collect();
    pseudonyms.sort_unstable();
    pseudonyms.dedup();
    keyring.tenants_of(&pseudonyms).await
}
