//! One message to be published, and where its parts come from.

use async_nats::{HeaderMap, header, header::HeaderName};
use bytes::Bytes;
use eventstore::RecordedEvent;
use schema::{TenantId, published::ANNOUNCED_AGAIN};
use serde::Serialize;
use uuid::Uuid;

use crate::{ApplyError, Unusable};

/// The largest message the platform's streams take, in bytes, its headers aside.
const MAX_BYTES: usize = 64 * 1024;
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const AGAIN: HeaderName = HeaderName::from_static(ANNOUNCED_AGAIN);
const TENANT: HeaderName = HeaderName::from_static("X-Tenant-Id");

/// A message that says that something happened.
pub struct Announcement {
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Bytes,
}

impl Announcement {
    /// `message`, announcing `event` under `id`.
    ///
    /// # Errors
    /// It is larger than its stream takes.
    pub fn of(
        event: &RecordedEvent,
        id: Uuid,
        tenant: Option<TenantId>,
        message: &impl Serialize,
    ) -> Result<Self, ApplyError> {
        let payload = serialised(message);
        if payload.len() > MAX_BYTES {
            let source = Unusable::TooLarge(payload.len());
            return Err(ApplyError::Unusable {
                position: event.position,
                source,
            });
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::NATS_MESSAGE_ID, id.to_string());
        if let Some(trace) = event
            .data
            .trace
            .as_deref()
            .filter(|trace| is_traceparent(trace))
        {
            headers.insert(TRACEPARENT, trace);
        }
        if let Some(tenant) = tenant {
            headers.insert(TENANT, tenant.to_string());
        }
        Ok(Self {
            headers,
            payload: payload.into(),
        })
    }
}

impl Announcement {
    /// The same, said to be a repeat, so that its receiver can count it.
    pub(crate) fn again(mut self) -> Self {
        self.headers.insert(AGAIN, "1");
        self
    }
}

fn serialised(message: &impl Serialize) -> Vec<u8> {
    // Unwrap safety: plain structs with string keys always serialise.
    serde_json::to_vec(message).expect("a message serialises")
}

/// Whether `text` can stand in a header: whatever else it is, it is one word of hex and dashes.
fn is_traceparent(text: &str) -> bool {
    text.len() <= 128
        && text
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use schema::Position;

    use super::*;
    use crate::fixture;

    #[test]
    fn headers_carry_id_trace_and_tenant() {
        let event = fixture::recorded((&"MessageSettled", 1));
        let tenant = TenantId(Uuid::from_u128(3));
        let made = Announcement::of(&event, Uuid::from_u128(9), Some(tenant), &"hello");
        let made = made.expect("small enough");
        let header = |name| {
            made.headers
                .get(name)
                .map(|value| value.as_str().to_owned())
        };
        assert_eq!(header("Nats-Msg-Id"), Some(Uuid::from_u128(9).to_string()));
        assert_eq!(header("traceparent").as_deref(), Some(fixture::TRACE));
        assert_eq!(header("X-Tenant-Id"), Some(tenant.to_string()));
        assert_eq!(made.payload, "\"hello\"");
    }

    #[test]
    fn a_trace_that_is_none_is_left_out() {
        let mut event = fixture::recorded((&"MessageSettled", 1));
        event.data.trace = Some("00-aa\r\nNats-Msg-Id: 1".into());
        let made = Announcement::of(&event, Uuid::nil(), None, &()).expect("small enough");
        assert_eq!(made.headers.get("traceparent"), None);
        assert_eq!(made.headers.get("X-Tenant-Id"), None);
    }

    #[test]
    fn a_message_no_stream_takes_is_an_error_with_its_position() {
        let event = fixture::recorded((&"MessageSettled", 4));
        let made = Announcement::of(&event, Uuid::nil(), None, &"x".repeat(MAX_BYTES));
        assert_eq!(
            made.err().and_then(|error| error.position()),
            Some(Position(4))
        );
    }
}
