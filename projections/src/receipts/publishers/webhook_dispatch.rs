//! `webhook.dispatch`: once per receipt that changed its message's status.
//!
//! One of three places where personal data is opened: the recipient's number and the customer's
//! metadata go to the customer's own webhook. They must not go anywhere else from here. The other
//! two are reconciliation in `actors`, which seals an orphan's data anew for its tenant, and the
//! endpoints of accounts in `api`, which show an account's name and address to who may see them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use async_trait::async_trait;
use eventstore::{
    LogId, RecordedEvent,
    keyring::{Keyring, KeyringError, Locked},
    seal::{self, DataKey, OpenError, Place},
};
use schema::{
    Event, EventType, MessageId, Personal, Pseudonym, ReceiptFacts, Sealed, SealedValue, TenantId,
    published::{SCHEMA_VERSION, WEBHOOK_DISPATCH, WebhookDispatch},
};

use crate::{
    ApplyError, Batch, Effect, Projection, Unusable,
    runtime::publishing::{Announcement, Outbox, withheld::Withheld},
};

/// Tells customers what became of their messages.
pub struct WebhookDispatches {
    outbox: Arc<Outbox>,
    keyring: Arc<dyn Keyring>,
    withheld: Withheld,
}

impl WebhookDispatches {
    /// A publisher through `client`.
    #[must_use]
    pub fn new(client: async_nats::Client, keyring: Arc<dyn Keyring>) -> Self {
        let outbox = Outbox::new(client, WEBHOOK_DISPATCH);
        Self {
            outbox: Arc::new(outbox),
            keyring,
            withheld: Withheld::default(),
        }
    }
}

impl WebhookDispatches {
    /// Of its checkpoint; in logs and metrics. The subject it publishes on, so it never changes.
    pub const NAME: &str = WEBHOOK_DISPATCH;
}

#[async_trait]
impl Projection for WebhookDispatches {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn reads(&self) -> &'static [EventType] {
        &[EventType::ReceiptRecorded, EventType::MessageSettled]
    }

    fn publishes(&self) -> bool {
        true
    }

    async fn prepare(&self, batch: &Batch) -> Result<Box<dyn Effect>, ApplyError> {
        let changes = || {
            batch
                .iter()
                .filter_map(|event| Some((event, status_change(event)?)))
        };
        let events = || changes().map(|(event, _)| &**event);
        let secrets = Secrets {
            log: batch.log,
            tenants: crate::runtime::publishing::tenants_of(&*self.keyring, events()).await?,
            keys: opened(self.keyring.by_id(&keys_named_by(events())).await?)?,
        };
        let mut announcements = Vec::with_capacity(batch.len());
        for (event, receipt) in changes() {
            match secrets.announce(event, receipt)? {
                Some(announcement) => announcements.push(announcement),
                None => self.withheld.note(self.name(), event.position),
            }
        }
        crate::runtime::publishing::publishing(&self.outbox, announcements)
    }
}

/// The receipt that changed its message's status, if this event is one.
fn status_change(event: &RecordedEvent) -> Option<&ReceiptFacts> {
    match &event.data.event {
        Event::MessageSettled(settled) => Some(&settled.receipt),
        Event::ReceiptRecorded(recorded) if recorded.changed_status => Some(&recorded.receipt),
        _ => None,
    }
}

/// The numbers of the keys these events are sealed under, each once. A malformed value names
/// none; it is refused when its turn comes.
fn keys_named_by<'a>(events: impl Iterator<Item = &'a RecordedEvent>) -> Vec<i64> {
    let mut keys: Vec<i64> = events
        .flat_map(|event| {
            [Sealed::TO, Sealed::METADATA].map(|field| event.data.sealed.0.get(field))
        })
        .flatten()
        .filter_map(|value| seal::key_of(value).ok())
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The keys, if all of them open. Customers are told in order, so while one does not, the batch
/// waits.
fn opened(
    keys: HashMap<i64, Result<DataKey, Locked>>,
) -> Result<HashMap<i64, DataKey>, KeyringError> {
    let keys = keys.into_iter().map(|(id, key)| Ok((id, key?)));
    keys.collect()
}

/// What it takes to write a batch of messages.
struct Secrets {
    log: LogId,
    tenants: HashMap<Pseudonym, TenantId>,
    keys: HashMap<i64, DataKey>,
}

/// A sealed value, opened.
enum Opened {
    Value(Personal),
    /// Its key is destroyed: the tenant is erased.
    Erased,
}

impl Secrets {
    /// The message about a change of status; `None` if its tenant is erased.
    fn announce(
        &self,
        event: &RecordedEvent,
        receipt: &ReceiptFacts,
    ) -> Result<Option<Announcement>, ApplyError> {
        let unusable = |source| ApplyError::Unusable {
            position: event.position,
            source,
        };
        let missing = |what| unusable(Unusable::Missing(what));
        let pseudonym = event.data.tenant.ok_or_else(|| missing("its tenant"))?;
        let account_id = event.data.account.ok_or_else(|| missing("its account"))?;
        let Some(&tenant) = self.tenants.get(&pseudonym) else {
            return Ok(None);
        };
        let to = self.open(event, Sealed::TO).map_err(unusable)?;
        let metadata = self.open(event, Sealed::METADATA).map_err(unusable)?;
        let to = match to.ok_or_else(|| missing("its recipient"))? {
            Opened::Value(to) => to,
            Opened::Erased => return Ok(None),
        };
        let metadata = match metadata {
            Some(Opened::Value(metadata)) => Some(members(&metadata).map_err(unusable)?),
            Some(Opened::Erased) => return Ok(None),
            None => None,
        };
        let message = WebhookDispatch {
            schema_version: SCHEMA_VERSION.to_owned(),
            event_id: event.data.id.announced_on(WEBHOOK_DISPATCH),
            account_id,
            message_id: MessageId(event.stream.id),
            dlr_status: receipt.dlr_status,
            to,
            operator_id: receipt.operator_id,
            occurred_at: receipt.delivered_at,
            metadata,
        };
        Announcement::of(event, message.event_id, Some(tenant), &message).map(Some)
    }

    fn open(&self, event: &RecordedEvent, field: &'static str) -> Result<Option<Opened>, Unusable> {
        let Some(value) = event.data.sealed.0.get(field) else {
            return Ok(None);
        };
        let place = Place {
            log: self.log,
            stream: event.stream,
            version: event.version,
            field,
        };
        let opened = self.open_value(&place, value);
        opened
            .map(Some)
            .map_err(|source| Unusable::Sealed { field, source })
    }

    fn open_value(&self, place: &Place<'_>, value: &SealedValue) -> Result<Opened, OpenError> {
        match self.keys.get(&seal::key_of(value)?) {
            Some(key) => key.open(place, value).map(Opened::Value),
            None => Ok(Opened::Erased),
        }
    }
}

/// Metadata is sealed as a JSON object of strings.
fn members(metadata: &Personal) -> Result<BTreeMap<String, Personal>, Unusable> {
    // The parser's error could quote the data; it ends here.
    let members: BTreeMap<String, String> =
        serde_json::from_str(metadata.expose()).map_err(|_| Unusable::Shape(Sealed::METADATA))?;
    Ok(members
        .into_iter()
        .map(|(name, value)| (name, Personal::new(value)))
        .collect())
}

#[cfg(test)]
mod tests {
    use eventstore::seal::KEY_LEN;
    use schema::{Position, StreamVersion};
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;
    use crate::fixture;

    const KEY: i64 = 5;

    fn secrets() -> Secrets {
        Secrets {
            log: fixture::LOG,
            tenants: [(fixture::PSEUDONYM, TenantId(Uuid::from_u128(3)))].into(),
            keys: [(KEY, DataKey::new(KEY, &[1; KEY_LEN]))].into(),
        }
    }

    /// A golden event with a recipient and metadata, sealed to its place.
    fn sealed(name: &'static str, metadata: &str) -> RecordedEvent {
        let mut event = fixture::recorded((&name, 1));
        for (field, text) in [(Sealed::TO, "+491511234567"), (Sealed::METADATA, metadata)] {
            let stream = event.stream;
            let place = Place {
                log: fixture::LOG,
                stream,
                version: event.version,
                field,
            };
            let value = secrets().keys[&KEY].seal(&place, &Personal::new(text.to_owned()));
            event.data.sealed.0.insert(field.to_owned(), value);
        }
        event
    }

    fn announced(event: &RecordedEvent) -> Value {
        let receipt = status_change(event).expect("a change of status");
        let made = secrets()
            .announce(event, receipt)
            .expect("usable")
            .expect("announced");
        serde_json::from_slice(&made.payload).expect("JSON")
    }

    #[test]
    fn a_change_is_announced_with_recipient_and_metadata() {
        let event = sealed("MessageSettled", r#"{"ref":"r-1"}"#);
        let told = announced(&event);
        assert_eq!(told["to"], "+491511234567");
        assert_eq!(told["metadata"]["ref"], "r-1");
        assert_eq!(told["dlrStatus"], "DELIVERED");
        assert_eq!(told["occurredAt"], "2026-03-01T11:59:58.000000Z");
        let id = event.data.id.announced_on("webhook.dispatch");
        assert_eq!(told["eventId"], id.to_string());
    }

    #[test]
    fn a_first_intermediate_receipt_is_announced_as_unknown() {
        let mut event = sealed("ReceiptRecorded", "{}");
        assert_eq!(announced(&event)["dlrStatus"], "UNKNOWN");
        if let Event::ReceiptRecorded(recorded) = &mut event.data.event {
            recorded.changed_status = false;
        }
        assert!(
            status_change(&event).is_none(),
            "the next one changes nothing"
        );
        assert!(status_change(&fixture::recorded((&"LateReceiptRecorded", 3))).is_none());
    }

    #[test]
    fn an_erased_tenants_change_is_withheld() {
        let event = sealed("MessageSettled", "{}");
        let receipt = status_change(&event).expect("a change of status");
        let without_key = Secrets {
            keys: HashMap::new(),
            ..secrets()
        };
        let without_tenant = Secrets {
            tenants: HashMap::new(),
            ..secrets()
        };
        for secrets in [without_key, without_tenant] {
            assert!(secrets.announce(&event, receipt).expect("usable").is_none());
        }
    }

    #[test]
    fn moved_or_misshapen_data_is_an_error_that_says_nothing() {
        let mut moved = sealed("MessageSettled", "{}");
        moved.version = StreamVersion(2);
        let misshapen = sealed("MessageSettled", r#"{"secret":1}"#);
        let unsealed = fixture::recorded((&"MessageSettled", 1));
        for event in [moved, misshapen, unsealed] {
            let receipt = status_change(&event).expect("a change of status");
            let error = secrets().announce(&event, receipt).err().expect("refused");
            assert_eq!(
                (error.is_final(), error.position()),
                (true, Some(Position(1)))
            );
            let told = format!("{error:?} {}", eventstore::log::chain(&error));
            assert!(!told.contains("secret") && !told.contains("+49"), "{told}");
        }
    }

    #[test]
    fn each_key_is_asked_for_once() {
        let events = [
            sealed("MessageSettled", "{}"),
            sealed("ReceiptRecorded", "{}"),
        ];
        assert_eq!(keys_named_by(events.iter()), [KEY]);
    }
}
