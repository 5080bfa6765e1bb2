//! Identifiers. Each is its own type, so that one cannot be passed for another.
//!
//! Ids of facts are derived from what happened (UUID v5 over the business key, see [`derive`]),
//! never minted per try: a repeat of the same work yields the same id.
//!
//! An id that comes from outside is written as 36 characters and is not nil: whatever reads one
//! of these types refuses the nil UUID, so that nothing can be about "nobody".

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};
use uuid::Uuid;

use crate::{CostKey, ExchangeRateKey, PriceKey, Status, StreamVersion, Timestamp};

/// The namespace of every id Tollbook derives. It must never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x7011_b00c_5eed_5a1d_8e0f_0000_0000_0001);

/// Derives an id from the parts that identify a fact. Parts are length-prefixed, so that
/// `("ab", "c")` and `("a", "bc")` differ.
#[must_use]
pub fn derive(kind: &str, parts: &[&[u8]]) -> Uuid {
    let mut key = Vec::with_capacity(96);
    for part in std::iter::once(&kind.as_bytes()).chain(parts) {
        key.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        key.extend_from_slice(part);
    }
    Uuid::new_v5(&NAMESPACE, &key)
}

/// The UUID that names nothing.
const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// Reads an id: 36 characters, as everybody writes them, and not nil.
fn read(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok().filter(|id| !id.is_nil())?;
    (text.len() == NIL.len()).then_some(id)
}

/// Reads an id from a text without keeping a copy of it.
struct IdVisitor;

impl de::Visitor<'_> for IdVisitor {
    type Value = Uuid;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a UUID that is not nil")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Uuid, E> {
        read(text).ok_or_else(|| E::custom("not a UUID, or the nil one"))
    }
}

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema,
        )]
        #[serde(transparent)]
        #[schemars(extend("not" = { "const": NIL }))]
        pub struct $name(pub Uuid);

        impl $name {
            /// The id that `text` names; the nil UUID and other ways of writing one are none.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                read(text).map(Self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(IdVisitor).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

uuid_id! {
    /// An SMS message, as the orchestrator names it.
    MessageId
    /// A customer organisation. Never stored in the log; see [`Pseudonym`].
    TenantId
    /// An account of a tenant. Not personal data.
    AccountId
    /// A carrier.
    OperatorId
    /// What stands for a tenant in the log. Random, and meaningless once its mapping is gone.
    Pseudonym
    /// A fact in the log; derived from what happened.
    EventId
    /// One version of a price.
    PricingTableId
    /// One version of a cost.
    OperatorCostId
    /// An adjustment of an account's bill.
    AdjustmentId
    /// One version of an exchange rate.
    ExchangeRateId
    /// A message on the wire, as its producer names it.
    SourceEventId
    /// A carrier's own statement, as whoever brings it names it.
    StatementId
}

/// The id a carrier gave to (a part of) a message: 1 to 64 printable ASCII characters. Unique
/// neither between carriers nor, after some weeks, at one carrier.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct OperatorMessageId(#[schemars(regex(pattern = r"^[\x20-\x7E]{1,64}$"))] String);

impl OperatorMessageId {
    /// Accepts 1 to 64 printable ASCII characters.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let printable = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        (printable && (1..=64).contains(&text.len())).then(|| Self(text.to_owned()))
    }

    /// The id as the carrier wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the author of a sheet calls it: 1 to 64 letters, digits, `.`, `_` and `-` of ASCII, the first
/// a letter or a digit. A UUID is one. Kept for ever, so it names no customer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct SheetId(#[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"))] String);

impl SheetId {
    /// The id that `text` is, if it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let begins = text
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric());
        (begins && text.len() <= 64 && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    /// The id as its author wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for SheetId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not an id of a sheet"))
    }
}

/// The one list of the kinds of streams: name, the word stored in the log, and what has one.
macro_rules! categories {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// The kinds of streams. A service may append to and read only its own kinds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Category {
            $($(#[$doc])* $name,)*
        }

        impl Category {
            /// Every category.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$name),*];

            /// The name stored in the log.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// The category stored under `name`.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name {
                    $($word => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

categories! {
    /// One stream per SMS message: its receipts and its settlement.
    Message = "message",
    /// One stream per (operator, operator message id) that matched no message when it came.
    Orphan = "orphan",
    /// One stream per SMS message: what was charged for it.
    Charge = "charge",
    /// One stream per account: whose it is and what it pays by.
    Account = "account",
    /// One stream per tenant: that it is to be erased, and that it is.
    Tenant = "tenant",
    /// One stream per price, cost or exchange rate: its versions.
    Price = "price",
    /// One stream per sheet of prices or costs: that it was applied.
    Sheet = "sheet",
    /// One stream per adjustment: proposed, then approved or rejected.
    Adjustment = "adjustment",
    /// One stream per log: what charges cost by what became known after they were recorded.
    Assessment = "assessment",
    /// One stream per account, currency and period.
    Invoice = "invoice",
    /// One stream per request: that somebody looked at data that is not theirs, or is sealed.
    Audit = "audit",
    /// One stream per carrier's statement: what comparing it showed.
    Statement = "statement",
}

/// A stream of the log: what one decider decides about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// The kind of stream.
    pub category: Category,
    /// What it is about, unique within its category: the id of a message, an account or a request,
    /// or one derived from a key.
    pub id: Uuid,
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.category.as_str(), self.id)
    }
}

impl StreamId {
    /// The stream of a message.
    #[must_use]
    pub const fn message(message: MessageId) -> Self {
        Self {
            category: Category::Message,
            id: message.0,
        }
    }

    /// The stream of what an operator said about an id nobody knew.
    #[must_use]
    pub fn orphan(operator: OperatorId, operator_message: &OperatorMessageId) -> Self {
        let id = derive(
            "orphan",
            &[operator.0.as_bytes(), operator_message.as_str().as_bytes()],
        );
        Self {
            category: Category::Orphan,
            id,
        }
    }

    /// The stream of what was charged for a message.
    #[must_use]
    pub const fn charge(message: MessageId) -> Self {
        Self {
            category: Category::Charge,
            id: message.0,
        }
    }

    /// The stream of an account, whosever it is.
    #[must_use]
    pub const fn account(account: AccountId) -> Self {
        Self {
            category: Category::Account,
            id: account.0,
        }
    }

    /// The stream of an adjustment.
    #[must_use]
    pub const fn adjustment(adjustment: AdjustmentId) -> Self {
        Self {
            category: Category::Adjustment,
            id: adjustment.0,
        }
    }

    /// The stream of a tenant.
    #[must_use]
    pub const fn tenant(tenant: Pseudonym) -> Self {
        Self {
            category: Category::Tenant,
            id: tenant.0,
        }
    }

    /// The stream of the versions of a price.
    #[must_use]
    pub fn price(key: &PriceKey) -> Self {
        let id = derive(
            "price",
            &[
                key.tenant
                    .as_ref()
                    .map_or(&[], |tenant| tenant.0.as_bytes()),
                key.account_tier.as_str().as_bytes(),
                key.operator_id.0.as_bytes(),
                key.direction.as_str().as_bytes(),
                key.currency.as_str().as_bytes(),
            ],
        );
        Self {
            category: Category::Price,
            id,
        }
    }

    /// The stream of the versions of a cost.
    #[must_use]
    pub fn cost(key: &CostKey) -> Self {
        let direction = key.direction.as_str().as_bytes();
        Self {
            category: Category::Price,
            id: derive("cost", &[key.operator_id.0.as_bytes(), direction]),
        }
    }

    /// The stream of the sheet `id` among those known as `kind`.
    #[must_use]
    pub fn sheet(kind: &str, id: &SheetId) -> Self {
        Self {
            category: Category::Sheet,
            id: derive(kind, &[id.as_str().as_bytes()]),
        }
    }

    /// The stream of the versions of an exchange rate.
    #[must_use]
    pub fn exchange_rate(key: &ExchangeRateKey) -> Self {
        let (base, quote) = (key.base.as_str(), key.quote.as_str());
        Self {
            category: Category::Price,
            id: derive("exchange-rate", &[base.as_bytes(), quote.as_bytes()]),
        }
    }

    /// The stream in which the costs of charges are assessed again, one pass after the other.
    #[must_use]
    pub fn assessments() -> Self {
        Self {
            category: Category::Assessment,
            id: derive("assessments", &[]),
        }
    }

    /// The stream of a carrier's statement.
    #[must_use]
    pub const fn statement(statement: StatementId) -> Self {
        Self {
            category: Category::Statement,
            id: statement.0,
        }
    }

    /// The stream of the access that the request `request` was.
    #[must_use]
    pub const fn access(request: Uuid) -> Self {
        Self {
            category: Category::Audit,
            id: request,
        }
    }
}

impl EventId {
    /// The fact that a receipt was recorded in `stream`. A receipt's identity is operator,
    /// operator message id and status, so a repeat of the receipt names the same fact.
    #[must_use]
    pub fn of_receipt(
        stream: StreamId,
        operator: OperatorId,
        operator_message: &OperatorMessageId,
        status: Status,
    ) -> Self {
        Self(derive(
            "receipt",
            &[
                stream.category.as_str().as_bytes(),
                stream.id.as_bytes(),
                operator.0.as_bytes(),
                operator_message.as_str().as_bytes(),
                status.as_str().as_bytes(),
            ],
        ))
    }

    /// The fact that a receipt of `operator_message`, which arrived at `received_at`, matched no
    /// message. The arrival is part of it: carriers use their ids again, and the same words then
    /// mean another message.
    #[must_use]
    pub fn of_orphan(
        operator: OperatorId,
        operator_message: &OperatorMessageId,
        status: Status,
        received_at: Timestamp,
    ) -> Self {
        Self(derive(
            "orphaned",
            &[
                operator.0.as_bytes(),
                operator_message.as_str().as_bytes(),
                status.as_str().as_bytes(),
                &received_at.micros().to_be_bytes(),
            ],
        ))
    }

    /// The fact that the orphan `orphan` found its message.
    #[must_use]
    pub fn of_orphan_match(orphan: Self) -> Self {
        Self(derive("orphan-matched", &[orphan.0.as_bytes()]))
    }

    /// The fact that `message` was charged. It is charged once.
    #[must_use]
    pub fn of_charge(message: MessageId) -> Self {
        Self(derive("charged", &[message.0.as_bytes()]))
    }

    /// The fact that the charge of `message` was held. It is held once at most.
    #[must_use]
    pub fn of_held_charge(message: MessageId) -> Self {
        Self(derive("charge-held", &[message.0.as_bytes()]))
    }

    /// The fact that `message` was settled a second time with other content; `content` is what
    /// tells one such contradiction from another.
    #[must_use]
    pub fn of_charge_conflict(message: MessageId, content: &[u8]) -> Self {
        Self(derive("charge-conflict", &[message.0.as_bytes(), content]))
    }

    /// The fact that `adjustment` was proposed. It is proposed once.
    #[must_use]
    pub fn of_proposal(adjustment: AdjustmentId) -> Self {
        Self(derive("adjustment-proposed", &[adjustment.0.as_bytes()]))
    }

    /// The fact that `adjustment` was decided, whichever way. It is decided once.
    #[must_use]
    pub fn of_decision(adjustment: AdjustmentId) -> Self {
        Self(derive("adjustment-decided", &[adjustment.0.as_bytes()]))
    }

    /// The fact that costs were assessed again: the event that is version `version` of its stream.
    #[must_use]
    pub fn of_assessment(version: StreamVersion) -> Self {
        Self(derive("costs-assessed", &[&version.0.to_be_bytes()]))
    }

    /// The fact that `tenant` was erased. It is erased once; if it comes back, it has another name.
    #[must_use]
    pub fn of_erasure(tenant: Pseudonym) -> Self {
        Self(derive("tenant-erased", &[tenant.0.as_bytes()]))
    }

    /// The fact that the sheet of `stream` was applied. That happens once.
    #[must_use]
    pub fn of_sheet(stream: StreamId) -> Self {
        Self(derive("sheet-applied", &[stream.id.as_bytes()]))
    }

    /// The fact that something was done to `subject`, known as `kind`, by the request `request`.
    #[must_use]
    pub fn of_request(kind: &str, subject: Uuid, request: Uuid) -> Self {
        Self(derive(kind, &[subject.as_bytes(), request.as_bytes()]))
    }

    /// The id of the message announcing this fact on `subject`.
    #[must_use]
    pub fn announced_on(self, subject: &str) -> Uuid {
        derive("announced", &[subject.as_bytes(), self.0.as_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_depends_on_where_its_parts_end() {
        assert_ne!(derive("k", &[b"ab", b"c"]), derive("k", &[b"a", b"bc"]));
        assert_eq!(derive("k", &[b"ab"]), derive("k", &[b"ab"]));
    }

    #[test]
    fn an_id_is_36_characters_and_not_nil() {
        let id = "6f1d2b7e-0000-4000-8000-00000000000A";
        assert_eq!(TenantId::parse(id).map(|id| id.0), Uuid::try_parse(id).ok());
        let simple = id.replace('-', "");
        let (urn, braced) = (format!("urn:uuid:{id}"), format!("{{{id}}}"));
        for wrong in [NIL, "", "x", &simple, &urn, &braced] {
            assert_eq!(TenantId::parse(wrong), None, "{wrong}");
            let read = serde_json::from_value::<TenantId>(wrong.into());
            assert!(read.is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_operator_message_id_is_short_printable_ascii() {
        assert!(OperatorMessageId::new("A-1 ~").is_some());
        for refused in ["", "tab\t", "nul\0", "é", &"x".repeat(65)] {
            assert!(OperatorMessageId::new(refused).is_none(), "{refused:?}");
        }
    }

    #[test]
    fn a_sheet_is_called_something_short_and_plain() {
        let long = "x".repeat(64);
        for good in [
            "a",
            "2027-01_v1.2",
            "6f1d2b7e-0000-4000-8000-00000000000a",
            &long,
        ] {
            assert!(SheetId::parse(good).is_some(), "{good}");
        }
        for wrong in [
            "",
            "-a",
            ".a",
            "a b",
            "a/b",
            "é",
            "a\n",
            &format!("{long}x"),
        ] {
            assert!(SheetId::parse(wrong).is_none(), "{wrong:?}");
            assert!(serde_json::from_value::<SheetId>(wrong.into()).is_err());
        }
    }

    #[test]
    fn every_category_is_found_by_its_name() {
        for category in Category::ALL {
            assert_eq!(Category::parse(category.as_str()), Some(category));
        }
    }
}
