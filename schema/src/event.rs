//! The events of the log, and how old shapes stay readable.
//!
//! An event is past tense and complete: it holds what a reader needs years later and points to
//! no row that may change. Every accepted receipt is exactly one event, and its type says what
//! the receipt did. A shape that was ever stored is never edited: a change is a new version, an
//! arm in [`Event::from_stored`] that lifts the old one, and a new golden file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{EventId, MessageId, ReceiptFacts, Status};

/// What can have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Stream `message`: an intermediate receipt came before any final one.
    ReceiptRecorded(ReceiptRecorded),
    /// Stream `message`: the first final receipt came; the message's fate is sealed.
    MessageSettled(MessageSettled),
    /// Stream `message`: a receipt came after the settlement. It changes and bills nothing.
    LateReceiptRecorded(LateReceiptRecorded),
    /// Stream `orphan`: a receipt matched no message in its grace period.
    ReceiptOrphaned(ReceiptOrphaned),
    /// Stream `orphan`: an orphan found its message and was recorded there.
    OrphanMatched(OrphanMatched),
}

/// See [`Event::ReceiptRecorded`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptRecorded {
    /// What the receipt said.
    pub receipt: ReceiptFacts,
    /// Whether it is the message's first, and so changed its status to `UNKNOWN`.
    pub changed_status: bool,
}

/// See [`Event::MessageSettled`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageSettled {
    /// What the receipt said; its status is the message's.
    pub receipt: ReceiptFacts,
    /// SMS segments to bill, as the orchestrator counted them.
    pub segment_count: i16,
}

/// See [`Event::LateReceiptRecorded`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LateReceiptRecorded {
    /// What the receipt said.
    pub receipt: ReceiptFacts,
    /// The status the message already had and keeps.
    pub settled_as: Status,
}

/// See [`Event::ReceiptOrphaned`]. Its event id is the orphan's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptOrphaned {
    /// What the receipt said.
    pub receipt: ReceiptFacts,
    /// The connector's guess, believed as soon as that message exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_hint: Option<MessageId>,
}

/// See [`Event::OrphanMatched`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrphanMatched {
    /// The orphan.
    pub orphan_id: EventId,
    /// The message it belongs to.
    pub message_id: MessageId,
    /// The event in the message's stream that now holds the receipt.
    pub receipt_id: EventId,
}

/// A stored event that no arm of [`Event::from_stored`] can read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableEvent {
    /// Written by a newer version of Tollbook, or not by Tollbook.
    #[error("no reader for event type {name} version {version}")]
    UnknownType {
        /// The stored type.
        name: String,
        /// The stored schema version.
        version: i16,
    },
    /// The payload is not of the shape its type and version name.
    #[error("payload of event type {name} version {version} has another shape")]
    OtherShape {
        /// The stored type.
        name: String,
        /// The stored schema version.
        version: i16,
        /// What the reader stumbled over.
        source: serde_json::Error,
    },
}

impl Event {
    /// Every event type with the schema version written today.
    pub const TYPES: [(&'static str, i16); 5] = [
        ("ReceiptRecorded", 1),
        ("MessageSettled", 1),
        ("LateReceiptRecorded", 1),
        ("ReceiptOrphaned", 1),
        ("OrphanMatched", 1),
    ];

    /// The type's name and the schema version written today.
    #[must_use]
    pub const fn type_and_version(&self) -> (&'static str, i16) {
        Self::TYPES[match self {
            Self::ReceiptRecorded(_) => 0,
            Self::MessageSettled(_) => 1,
            Self::LateReceiptRecorded(_) => 2,
            Self::ReceiptOrphaned(_) => 3,
            Self::OrphanMatched(_) => 4,
        }]
    }

    /// The payload as it is stored.
    #[must_use]
    pub fn payload(&self) -> String {
        match self {
            Self::ReceiptRecorded(event) => serde_json::to_string(event),
            Self::MessageSettled(event) => serde_json::to_string(event),
            Self::LateReceiptRecorded(event) => serde_json::to_string(event),
            Self::ReceiptOrphaned(event) => serde_json::to_string(event),
            Self::OrphanMatched(event) => serde_json::to_string(event),
        }
        // Unwrap safety: plain structs with string keys always serialise.
        .expect("an event serialises")
    }

    /// Reads a stored event, lifting old versions to today's shape.
    ///
    /// # Errors
    /// The type or version is unknown, or the payload is not of its shape.
    pub fn from_stored(name: &str, version: i16, payload: &str) -> Result<Self, UnreadableEvent> {
        let read = match (name, version) {
            ("ReceiptRecorded", 1) => serde_json::from_str(payload).map(Self::ReceiptRecorded),
            ("MessageSettled", 1) => serde_json::from_str(payload).map(Self::MessageSettled),
            ("LateReceiptRecorded", 1) => {
                serde_json::from_str(payload).map(Self::LateReceiptRecorded)
            }
            ("ReceiptOrphaned", 1) => serde_json::from_str(payload).map(Self::ReceiptOrphaned),
            ("OrphanMatched", 1) => serde_json::from_str(payload).map(Self::OrphanMatched),
            _ => {
                return Err(UnreadableEvent::UnknownType {
                    name: name.to_owned(),
                    version,
                });
            }
        };
        read.map_err(|source| UnreadableEvent::OtherShape {
            name: name.to_owned(),
            version,
            source,
        })
    }

    /// The receipt this event records, if it records one.
    #[must_use]
    pub const fn receipt(&self) -> Option<&ReceiptFacts> {
        match self {
            Self::ReceiptRecorded(event) => Some(&event.receipt),
            Self::MessageSettled(event) => Some(&event.receipt),
            Self::LateReceiptRecorded(event) => Some(&event.receipt),
            Self::ReceiptOrphaned(event) => Some(&event.receipt),
            Self::OrphanMatched(_) => None,
        }
    }
}

/// One sealed value: `<key id>.<base64url of nonce, ciphertext and tag>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct SealedValue(pub String);

/// The sealed personal data of an event, by field. Stored next to the payload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Sealed(pub BTreeMap<String, SealedValue>);

impl Sealed {
    /// The recipient as the orchestrator knows it (E.164), for the webhook.
    pub const TO: &'static str = "to";
    /// The customer's metadata of the message, for the webhook.
    pub const METADATA: &'static str = "metadata";
    /// The receipt's `sourceAddr`.
    pub const SOURCE_ADDR: &'static str = "sourceAddr";
    /// The receipt's `destAddr`.
    pub const DEST_ADDR: &'static str = "destAddr";
    /// The receipt's `rawPayload`.
    pub const RAW_PAYLOAD: &'static str = "rawPayload";

    /// The stored form; `None` when there is nothing sealed.
    #[must_use]
    pub fn stored(&self) -> Option<String> {
        // Unwrap safety: a map of strings always serialises.
        (!self.0.is_empty()).then(|| serde_json::to_string(self).expect("sealed data serialises"))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// The golden files are never edited: what was stored once is read for ever.
    #[test]
    fn l7_every_stored_version_of_every_event_is_readable() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
        for (name, today) in Event::TYPES {
            for version in 1..=today {
                let file = golden.join(name).join(format!("v{version}.json"));
                let stored = fs::read_to_string(&file)
                    .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                let event = Event::from_stored(name, version, &stored)
                    .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                assert_eq!(event.type_and_version(), (name, today));
                if version == today {
                    assert_eq!(event.payload(), stored.trim_end(), "{}", file.display());
                }
            }
        }
    }

    #[test]
    fn l7_an_unknown_type_or_shape_is_an_error() {
        assert!(matches!(
            Event::from_stored("MessageSettled", 99, "{}"),
            Err(UnreadableEvent::UnknownType { .. })
        ));
        assert!(matches!(
            Event::from_stored("MessageSettled", 1, "{}"),
            Err(UnreadableEvent::OtherShape { .. })
        ));
    }
}
