//! The events of the log, and how old shapes stay readable.
//!
//! An event is past tense and complete: it holds what a reader needs years later and points to
//! no row that may change. Every accepted receipt is exactly one event, and its type says what
//! the receipt did. A shape that was ever stored is never edited: a change is a new version, an
//! arm in [`Event::from_stored`] that lifts the old one, and a new golden file.

mod access;
mod accounts;
mod adjustments;
mod charges;
mod erasure;
mod prices;
mod receipts;
mod sealed;
mod sheets;
mod statements;

pub use self::{
    access::{AccessRefused, CrossAccountRead, PersonalDataRevealed, RevealedFields},
    accounts::{AccountChanged, AccountFacts, AccountRegistered, AccountTax},
    adjustments::{
        AdjustmentApproved, AdjustmentFacts, AdjustmentProposed, AdjustmentRejected, Person,
    },
    charges::{
        AppliedCost, AppliedPrice, AppliedRate, AssessedCharge, AssessmentAdvanced,
        AssessmentCursor, ChargeConflictRecorded, ChargeHeld, CostAssessment, CostsAssessed,
        FirstSettlement, HoldReason, MessageCharged, PayerSource, ReplacedAssessment,
    },
    erasure::{ErasureRequested, TenantErased},
    prices::{
        CostClosed, CostOpened, CostTerms, ExchangeRateClosed, ExchangeRateOpened, PriceClosed,
        PriceOpened, PriceTerms, RateTerms,
    },
    receipts::{
        LateReceiptRecorded, MessageSettled, OrphanMatched, ReceiptOrphaned, ReceiptRecorded,
    },
    sealed::{Sealed, SealedValue},
    sheets::{CostSheetApplied, PriceSheetApplied, SheetFacts},
    statements::{
        Difference, DifferenceClass, Figures, MoneySum, OperatorStatementCompared, SideSums,
        StatementContent, StatementSums,
    },
};
use schemars::{Schema, SchemaGenerator};

use crate::{Category, ReceiptFacts};

/// The one list of event types: name, the kind of its streams, the schema version written today,
/// and what it means. The enums, the stored names, both directions of reading and writing and the
/// list of JSON Schemas follow from it.
macro_rules! events {
    ($($(#[$doc:meta])* $name:ident($category:ident) = $version:literal,)*) => {
        /// What can have happened: a variant for each type of event, in today's shape.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Event {
            $($(#[$doc])* $name($name),)*
        }

        /// The types of events.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EventType {
            $($(#[$doc])* $name,)*
        }

        impl EventType {
            /// The type stored under `name`.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The kind of streams that such events stand in.
            #[must_use]
            pub const fn category(self) -> Category {
                match self {
                    $(Self::$name => Category::$category,)*
                }
            }
        }

        impl Event {
            /// Its type.
            #[must_use]
            pub const fn event_type(&self) -> EventType {
                match self {
                    $(Self::$name(_) => EventType::$name,)*
                }
            }

            /// The kind of streams it stands in. No log takes it in another.
            #[must_use]
            pub const fn category(&self) -> Category {
                self.event_type().category()
            }

            /// The JSON Schema of each type as it is written today, with the file that it is
            /// committed as.
            pub(crate) const SCHEMAS: &[(&'static str, fn(SchemaGenerator) -> Schema)] = &[$((
                concat!("event.", stringify!($name), ".v", $version, ".json"),
                SchemaGenerator::into_root_schema_for::<$name>,
            ),)*];

            /// Every event type with the schema version written today.
            pub const TYPES: &[(&'static str, i16)] = &[$((stringify!($name), $version),)*];

            /// The type's name and the schema version written today.
            #[must_use]
            pub const fn type_and_version(&self) -> (&'static str, i16) {
                match self {
                    $(Self::$name(_) => (stringify!($name), $version),)*
                }
            }

            /// The payload as it is stored.
            #[must_use]
            pub fn payload(&self) -> String {
                match self {
                    $(Self::$name(event) => serde_json::to_string(event),)*
                }
                // Unwrap safety: plain structs with string keys always serialise.
                .expect("an event serialises")
            }

            /// Reads a payload of today's version; `None` if no type of that name and version is
            /// written today.
            fn from_today(
                name: &str,
                version: i16,
                payload: &str,
            ) -> Option<Result<Self, serde_json::Error>> {
                match (name, version) {
                    $((stringify!($name), $version) => {
                        Some(serde_json::from_str(payload).map(Self::$name))
                    })*
                    _ => None,
                }
            }
        }
    };
}

events! {
    /// An intermediate receipt came before any final one.
    ReceiptRecorded(Message) = 1,
    /// The first final receipt came; the message's fate is sealed.
    MessageSettled(Message) = 1,
    /// A receipt came after the settlement. It changes and bills nothing.
    LateReceiptRecorded(Message) = 1,
    /// A receipt matched no message in its grace period.
    ReceiptOrphaned(Orphan) = 1,
    /// An orphan found its message and was recorded there.
    OrphanMatched(Orphan) = 1,
    /// A settled message was priced and costed. Once per message.
    MessageCharged(Charge) = 1,
    /// A settled message could not be priced yet; it waits.
    ChargeHeld(Charge) = 1,
    /// A message was settled again with other content. The first stays.
    ChargeConflictRecorded(Charge) = 1,
    /// An account was registered: its first version was told.
    AccountRegistered(Account) = 1,
    /// Another version of a registered account was told.
    AccountChanged(Account) = 1,
    /// A version of a price was opened.
    PriceOpened(Price) = 1,
    /// A version of a price got its end, or an earlier one.
    PriceClosed(Price) = 1,
    /// A version of a cost was opened.
    CostOpened(Price) = 1,
    /// A version of a cost got its end, or an earlier one.
    CostClosed(Price) = 1,
    /// A sheet of prices was applied, as a whole.
    PriceSheetApplied(Sheet) = 1,
    /// A sheet of costs was applied, as a whole.
    CostSheetApplied(Sheet) = 1,
    /// Somebody proposed that an account pays more or less. It changes nothing yet.
    AdjustmentProposed(Adjustment) = 1,
    /// Another person approved it: from now on the account pays that.
    AdjustmentApproved(Adjustment) = 1,
    /// It was rejected, for a reason. It never changes anything.
    AdjustmentRejected(Adjustment) = 1,
    /// A version of an exchange rate was opened.
    ExchangeRateOpened(Price) = 1,
    /// A version of an exchange rate got its end, or an earlier one.
    ExchangeRateClosed(Price) = 1,
    /// What charged messages of a tenant cost was assessed again, because a cost or an exchange
    /// rate became known for their time.
    CostsAssessed(Assessment) = 1,
    /// How far that is for one such change.
    AssessmentAdvanced(Assessment) = 1,
    /// Somebody read the data of an account that is not theirs.
    CrossAccountRead(Audit) = 1,
    /// Somebody wanted to and was refused.
    AccessRefused(Audit) = 1,
    /// The platform erased a tenant and wants it forgotten here.
    ErasureRequested(Tenant) = 1,
    /// A tenant's key is destroyed, and nothing but its pseudonym names it any more.
    TenantErased(Tenant) = 1,
    /// A person was to see what is sealed. Recorded before it is opened.
    PersonalDataRevealed(Audit) = 1,
    /// A carrier's statement was compared with what is recorded. It changes nothing else.
    OperatorStatementCompared(Statement) = 1,
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
    /// Reads a stored event, lifting old versions to today's shape.
    ///
    /// # Errors
    /// The type or version is unknown, or the payload is not of its shape.
    pub fn from_stored(name: &str, version: i16, payload: &str) -> Result<Self, UnreadableEvent> {
        let named = || name.to_owned();
        match Self::from_today(name, version, payload) {
            Some(Ok(event)) => Ok(event),
            Some(Err(source)) => Err(UnreadableEvent::OtherShape {
                name: named(),
                version,
                source,
            }),
            // No type has an older version yet; its arm goes here.
            None => Err(UnreadableEvent::UnknownType {
                name: named(),
                version,
            }),
        }
    }

    /// The receipt this event records, if it records one.
    #[must_use]
    pub const fn receipt(&self) -> Option<&ReceiptFacts> {
        match self {
            Self::ReceiptRecorded(event) => Some(&event.receipt),
            Self::MessageSettled(event) => Some(&event.receipt),
            Self::LateReceiptRecorded(event) => Some(&event.receipt),
            Self::ReceiptOrphaned(event) => Some(&event.receipt),
            _ => None,
        }
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
        for &(name, today) in Event::TYPES {
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
    fn a_type_is_known_by_its_stored_name_and_by_nothing_else() {
        for &(name, _) in Event::TYPES {
            let found = EventType::parse(name).map(|found| format!("{found:?}"));
            assert_eq!(found.as_deref(), Some(name));
        }
        assert_eq!(EventType::parse("messagesettled"), None);
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
