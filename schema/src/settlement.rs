//! Settled messages as they are announced (`billing.events`, CONTRACTS 5), read to be charged.
//!
//! A tolerant reader: unknown fields are ignored, and a tier or a currency nobody knows counts as
//! absent, because the registered account decides both. Nothing is lost that can be charged.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    AccountId, AccountTier, Currency, Direction, Invalid, MessageId, OperatorId, Reason,
    SourceEventId, Status, TenantId, Timestamp,
    inbound::{Form, SCHEMA_VERSION, first_absent, read_time, typed},
};

/// The most segments of a message that is charged. It protects money, it does not hide a message.
pub const SEGMENTS_MAX: i16 = 10;

/// `billing.events`, as it is read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InboundSettlement {
    /// The announcement's id.
    event_id: SourceEventId,
    /// `"1.0"` today; another one is counted, not refused.
    #[serde(default)]
    schema_version: Option<Value>,
    /// `"DLR_TERMINAL"`.
    #[schemars(extend("const" = "DLR_TERMINAL"))]
    #[expect(dead_code, reason = "the schema has checked it")]
    event_type: String,
    /// The message.
    message_id: MessageId,
    /// Whose message.
    tenant_id: TenantId,
    /// On which account.
    account_id: AccountId,
    /// Through which carrier.
    operator_id: OperatorId,
    /// Which way.
    direction: Direction,
    /// SMS segments. What has more than ten is held.
    #[schemars(range(min = 1, max = i16::MAX))]
    segment_count: i16,
    /// One of the five final statuses.
    #[schemars(extend("enum" = ["DELIVERED", "UNDELIVERED", "EXPIRED", "FAILED", "REJECTED"]))]
    dlr_status: String,
    /// When the message reached that status, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    occurred_at: String,
    /// What decides the price, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    charged_at: String,
    /// The account's tier; unknown words count as absent.
    #[serde(default)]
    account_tier: Option<String>,
    /// ISO 4217; unknown codes count as absent.
    #[serde(default)]
    currency: Option<String>,
}

/// What is to be charged: a message and its fate. Part of every charge's event. The tenant and
/// the account are those of the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Settlement {
    /// The announcement that brought it.
    pub source_event_id: Uuid,
    /// The message.
    pub message_id: MessageId,
    /// Through which carrier.
    pub operator_id: OperatorId,
    /// Which way.
    pub direction: Direction,
    /// SMS segments, at least 1; more than [`SEGMENTS_MAX`] are not charged.
    pub segment_count: i16,
    /// One of the five final statuses.
    pub dlr_status: Status,
    /// When the message reached that status.
    pub occurred_at: Timestamp,
    /// What decides the price.
    pub charged_at: Timestamp,
    /// The tier the announcement names; it serves only for an account nobody registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated_tier: Option<AccountTier>,
    /// The currency the announcement names; the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated_currency: Option<Currency>,
    /// Arrival in the stream `BILLING_EVENTS`.
    pub received_at: Timestamp,
}

/// A settlement that passed every check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedSettlement {
    /// The customer whose message it is; the log keeps its pseudonym.
    pub tenant: TenantId,
    /// On which account.
    pub account: AccountId,
    /// The facts that price and cost follow from, as they are stored with the charge.
    pub settlement: Settlement,
    /// Whether it names a schema version other than [`SCHEMA_VERSION`].
    pub foreign_schema_version: bool,
}

const REQUIRED: [&str; 11] = [
    "eventId",
    "eventType",
    "messageId",
    "tenantId",
    "accountId",
    "operatorId",
    "direction",
    "segmentCount",
    "dlrStatus",
    "occurredAt",
    "chargedAt",
];

static FORM: LazyLock<Form> = LazyLock::new(|| {
    Form::of::<InboundSettlement>(&[
        "eventId",
        "schemaVersion",
        "eventType",
        "messageId",
        "tenantId",
        "accountId",
        "operatorId",
        "direction",
        "segmentCount",
        "dlrStatus",
        "occurredAt",
        "chargedAt",
        "accountTier",
        "currency",
    ])
});

impl ReceivedSettlement {
    /// Checks and reads one message that arrived in the stream at `arrived`.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn parse(bytes: &[u8], arrived: Timestamp) -> Result<Self, Invalid> {
        let inbound: InboundSettlement = typed(FORM.check(bytes, missing_field)?)?;
        inbound.into_received(arrived)
    }
}

impl InboundSettlement {
    fn into_received(self, arrived: Timestamp) -> Result<ReceivedSettlement, Invalid> {
        let time = |text: &str, field| {
            let read = read_time(Some(text), field)?;
            read.ok_or_else(|| Invalid::missing(field))
        };
        let settlement = Settlement {
            source_event_id: self.event_id.0,
            message_id: self.message_id,
            operator_id: self.operator_id,
            direction: self.direction,
            segment_count: self.segment_count,
            dlr_status: Status::parse(&self.dlr_status).ok_or(Reason::UnknownWord)?,
            occurred_at: time(&self.occurred_at, "occurredAt")?,
            charged_at: time(&self.charged_at, "chargedAt")?,
            stated_tier: self.account_tier.as_deref().and_then(AccountTier::parse),
            stated_currency: self.currency.as_deref().and_then(Currency::parse),
            received_at: arrived,
        };
        Ok(ReceivedSettlement {
            tenant: self.tenant_id,
            account: self.account_id,
            settlement,
            foreign_schema_version: self
                .schema_version
                .is_some_and(|version| version != SCHEMA_VERSION),
        })
    }
}

fn missing_field(message: &Map<String, Value>) -> Option<&'static str> {
    first_absent(message, &REQUIRED)
}

impl Settlement {
    /// The fields in which `other` says something else about the same message, whoever pays for
    /// it. How and when either of them came does not matter.
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> Vec<&'static str> {
        differing([
            ("operatorId", self.operator_id == other.operator_id),
            ("direction", self.direction == other.direction),
            ("segmentCount", self.segment_count == other.segment_count),
            ("dlrStatus", self.dlr_status == other.dlr_status),
            ("occurredAt", self.occurred_at == other.occurred_at),
            ("chargedAt", self.charged_at == other.charged_at),
        ])
    }

    /// The fields in which `other` says something else of who pays. They matter only where nobody
    /// registered the account.
    #[must_use]
    pub fn payer_differs_from(&self, other: &Self) -> Vec<&'static str> {
        differing([
            ("accountTier", self.stated_tier == other.stated_tier),
            ("currency", self.stated_currency == other.stated_currency),
        ])
    }
}

/// The names of those that are not the same.
fn differing<const N: usize>(compared: [(&'static str, bool); N]) -> Vec<&'static str> {
    let differ = compared.into_iter().filter(|(_, same)| !same);
    differ.map(|(field, _)| field).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The id that names nobody.
    const NIL: &str = "00000000-0000-0000-0000-000000000000";

    fn arrived() -> Timestamp {
        Timestamp::parse("2026-03-01T12:00:00Z").expect("valid")
    }

    fn message() -> Value {
        json!({
            "schemaVersion": "1.0",
            "eventId": "00000000-0000-0000-0000-000000000001",
            "eventType": "DLR_TERMINAL",
            "messageId": "00000000-0000-0000-0000-000000000002",
            "tenantId": "00000000-0000-0000-0000-000000000003",
            "accountId": "00000000-0000-0000-0000-000000000004",
            "operatorId": "00000000-0000-0000-0000-000000000005",
            "direction": "MT",
            "segmentCount": 2,
            "dlrStatus": "DELIVERED",
            "occurredAt": "2026-03-01T11:59:58Z",
            "chargedAt": "2026-03-01T11:59:58Z",
        })
    }

    fn parse(message: &Value) -> Result<ReceivedSettlement, Invalid> {
        ReceivedSettlement::parse(message.to_string().as_bytes(), arrived())
    }

    fn refused(field: &'static str, value: Value) -> (Reason, Option<&'static str>) {
        let mut message = message();
        message[field] = value;
        let invalid = parse(&message).expect_err("refused");
        (invalid.reason, invalid.field)
    }

    #[test]
    fn what_we_publish_is_what_we_read() {
        let read = parse(&message()).expect("valid");
        assert_eq!(read.settlement.segment_count, 2);
        assert_eq!(read.settlement.received_at, arrived());
        assert!(!read.foreign_schema_version);
    }

    #[test]
    fn each_field_is_refused_by_its_name() {
        for field in REQUIRED {
            assert_eq!(
                refused(field, Value::Null),
                (Reason::MissingField, Some(field))
            );
        }
        let cases = [
            ("eventId", json!("no"), Reason::BadUuid),
            ("tenantId", json!(NIL), Reason::BadUuid),
            ("eventType", json!("OTHER"), Reason::UnknownWord),
            ("direction", json!("UP"), Reason::UnknownWord),
            ("segmentCount", json!(0), Reason::OutOfRange),
            ("segmentCount", json!(-3), Reason::OutOfRange),
            ("segmentCount", json!(32_768), Reason::OutOfRange),
            ("segmentCount", json!(1.5), Reason::WrongType),
            ("segmentCount", json!("2"), Reason::WrongType),
            ("dlrStatus", json!("UNKNOWN"), Reason::UnknownWord),
            ("chargedAt", json!("2026-03-01T11:59:58"), Reason::BadTime),
            ("currency", json!(7), Reason::WrongType),
        ];
        for (field, value, reason) in cases {
            assert_eq!(refused(field, value), (reason, Some(field)));
        }
    }

    #[test]
    fn a_count_is_whole_however_it_is_written() {
        let written = |count: &str| {
            let mut message = message();
            message["segmentCount"] = json!("HERE");
            let text = message.to_string().replace("\"HERE\"", count);
            ReceivedSettlement::parse(text.as_bytes(), arrived())
        };
        for two in ["2.0", "2e0", "2.00", "0.2E1", "200e-2"] {
            let read = written(two).expect("valid").settlement;
            assert_eq!(read.segment_count, 2, "{two}");
        }
        for (wrong, reason) in [
            ("1.99999999999999999999", Reason::WrongType),
            ("1e400", Reason::OutOfRange),
            ("65538", Reason::OutOfRange),
            ("-0.0", Reason::OutOfRange),
        ] {
            assert_eq!(
                written(wrong).map_err(|it| it.reason),
                Err(reason),
                "{wrong}"
            );
        }
    }

    #[test]
    fn what_the_schema_of_settlements_accepts_is_taken_and_nothing_else() {
        let schema = schemars::schema_for!(InboundSettlement).to_value();
        let takes = |bytes: &[u8]| ReceivedSettlement::parse(bytes, arrived()).is_ok();
        crate::conformance::reader_keeps_to(&schema, takes);
    }

    #[test]
    fn a_tier_or_currency_nobody_knows_counts_as_absent() {
        let mut message = message();
        message["accountTier"] = json!("GALACTIC");
        message["currency"] = json!("ZZZ");
        let read = parse(&message).expect("valid").settlement;
        assert_eq!((read.stated_tier, read.stated_currency), (None, None));
    }

    #[test]
    fn a_repeat_may_come_at_another_time_under_another_id() {
        let first = parse(&message()).expect("valid").settlement;
        let mut second = first.clone();
        second.source_event_id = Uuid::from_u128(99);
        second.received_at = second.charged_at;
        assert_eq!(first.differs_from(&second), [""; 0]);
        second.segment_count = 3;
        assert_eq!(first.differs_from(&second), ["segmentCount"]);
    }
}
