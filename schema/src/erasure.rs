//! The announcement that a tenant is erased (`tenant.erased`, `tenant_erased.v1`, CONTRACTS 5).
//!
//! A tolerant reader: unknown fields are ignored, and the reason is read past, because it may name
//! a person.

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    Invalid, SourceEventId, TenantId, Timestamp,
    inbound::{Form, SCHEMA_VERSION, first_absent, read_time, typed},
};

/// The subject.
pub const TENANT_ERASED: &str = "tenant.erased";

/// `tenant.erased`, as it is read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InboundErasure {
    /// The announcement's id.
    event_id: SourceEventId,
    /// `"1.0"` today; another one is counted, not refused.
    #[serde(default)]
    schema_version: Option<Value>,
    /// Who is erased.
    tenant_id: TenantId,
    /// When, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    erased_at: String,
}

/// An announcement that passed every check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivedErasure {
    /// Who is to be erased; the log keeps its pseudonym.
    pub tenant: TenantId,
    /// The announcement.
    pub source_event_id: SourceEventId,
    /// When the platform erased the tenant, as it says.
    pub erased_at: Timestamp,
    /// Arrival in the stream.
    pub received_at: Timestamp,
    /// Whether it names a schema version other than [`SCHEMA_VERSION`].
    pub foreign_schema_version: bool,
}

const REQUIRED: [&str; 3] = ["eventId", "tenantId", "erasedAt"];

static FORM: LazyLock<Form> = LazyLock::new(|| {
    Form::of::<InboundErasure>(&["eventId", "schemaVersion", "tenantId", "erasedAt"])
});

impl ReceivedErasure {
    /// Checks and reads one message that arrived in the stream at `arrived`.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn parse(bytes: &[u8], arrived: Timestamp) -> Result<Self, Invalid> {
        let inbound: InboundErasure = typed(FORM.check(bytes, missing_field)?)?;
        let erased_at = read_time(Some(&inbound.erased_at), "erasedAt")?;
        Ok(Self {
            tenant: inbound.tenant_id,
            source_event_id: inbound.event_id,
            erased_at: erased_at.ok_or_else(|| Invalid::missing("erasedAt"))?,
            received_at: arrived,
            foreign_schema_version: inbound
                .schema_version
                .is_some_and(|version| version != SCHEMA_VERSION),
        })
    }
}

fn missing_field(message: &Map<String, Value>) -> Option<&'static str> {
    first_absent(message, &REQUIRED)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Reason;

    fn arrived() -> Timestamp {
        Timestamp::parse("2026-03-01T12:00:00Z").expect("valid")
    }

    fn message() -> Value {
        json!({
            "schemaVersion": "1.0",
            "eventId": "00000000-0000-0000-0000-000000000001",
            "tenantId": "00000000-0000-0000-0000-000000000003",
            "erasedAt": "2026-03-01T11:59:58Z",
            "reason": "Ada asked for it",
        })
    }

    fn parse(message: &Value) -> Result<ReceivedErasure, Invalid> {
        ReceivedErasure::parse(message.to_string().as_bytes(), arrived())
    }

    #[test]
    fn it_says_who_and_when_and_never_why() {
        let read = parse(&message()).expect("valid");
        assert_eq!(read.tenant.0.as_u128(), 3);
        assert_eq!(read.source_event_id.0.as_u128(), 1);
        assert_eq!(read.erased_at.to_string(), "2026-03-01T11:59:58.000000Z");
        assert!(!read.foreign_schema_version);
        assert!(!format!("{read:?}").contains("Ada"));
    }

    #[test]
    fn what_it_needs_must_be_there_and_right() {
        let without = |field: &str| {
            let mut message = message();
            message.as_object_mut().expect("an object").remove(field);
            parse(&message).expect_err("refused").reason
        };
        for field in REQUIRED {
            assert_eq!(without(field), Reason::MissingField, "{field}");
        }
        let with = |field: &str, value: Value| {
            let mut message = message();
            message[field] = value;
            parse(&message)
        };
        let refused = |field, value| with(field, value).expect_err("refused").reason;
        assert_eq!(refused("tenantId", json!("ada")), Reason::BadUuid);
        assert_eq!(refused("erasedAt", json!("2026-03-01")), Reason::BadTime);
        assert_eq!(refused("erasedAt", json!(7)), Reason::WrongType);
        assert!(
            with("schemaVersion", json!("2.0"))
                .expect("taken")
                .foreign_schema_version
        );
    }

    #[test]
    fn what_the_schema_of_erasures_accepts_is_taken_and_nothing_else() {
        let schema = schemars::schema_for!(InboundErasure).to_value();
        let takes = |bytes: &[u8]| ReceivedErasure::parse(bytes, arrived()).is_ok();
        crate::conformance::reader_keeps_to(&schema, takes);
    }
}
