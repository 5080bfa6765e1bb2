//! The id of a request: what a caller and our log lines call the same thing.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
};
use uuid::Uuid;

use super::{
    openapi::{Documented, Operation},
    problem::{Code, Problem},
};

/// The header it travels in.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// 1 to 64 letters, digits, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The caller's own id if it is a good one, else a new one.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let good = |value: &&HeaderValue| {
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            (1..=64).contains(&value.len()) && value.as_bytes().iter().all(plain)
        };
        let given = headers.get(HEADER).filter(good);
        given.map_or_else(Self::mint, |value| Self(value.clone()))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a request is no fact: nothing is derived from this id but the trail in the logs"
    )]
    fn mint() -> Self {
        let id = Uuid::now_v7().to_string();
        // Unwrap safety: hexadecimal digits and dashes are what a header may hold.
        Self(HeaderValue::try_from(id).expect("a uuid"))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// As the value of a header.
    #[must_use]
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let id = parts.extensions.get::<Self>().cloned();
        id.ok_or(Problem::new(Code::Internal))
    }
}

impl Documented for RequestId {
    fn document(_: &mut Operation) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> String {
        let headers = HeaderMap::from_iter([(HEADER, HeaderValue::try_from(value).expect("good"))]);
        RequestId::of(&headers).as_str().to_owned()
    }

    #[test]
    fn a_good_id_is_kept_and_any_other_replaced() {
        assert_eq!(of("Order_7-a"), "Order_7-a");
        let long = "x".repeat(65);
        for odd in ["", "a b", "a\"b", "a/b", &long] {
            assert!(Uuid::parse_str(&of(odd)).is_ok(), "{odd:?}");
        }
        assert_ne!(of(""), of(""));
    }
}
