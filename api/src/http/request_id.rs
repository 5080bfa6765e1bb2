//! The id of a request: what our facts and log lines call it, and what its answer calls it.
//!
//! A caller may name a request as they like, and their word comes back in the answer. It goes
//! nowhere else: it may be anything, a phone number too, and facts stay for ever. What we keep is an
//! id of our own, which is also the answer's where the caller named none.

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

/// What a request is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId {
    own: Uuid,
    /// The caller's word: 1 to 64 letters, digits, `_` and `-`.
    given: Option<HeaderValue>,
}

impl RequestId {
    /// A new one, with the caller's word if it is a good one.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let good = |value: &&HeaderValue| {
            let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            (1..=64).contains(&value.len()) && value.as_bytes().iter().all(plain)
        };
        Self {
            own: mint(),
            given: headers.get(HEADER).filter(good).cloned(),
        }
    }

    /// What we call it, in facts, log lines and problems.
    #[must_use]
    pub const fn own(&self) -> Uuid {
        self.own
    }

    /// What its answer calls it.
    #[must_use]
    pub fn answered(&self) -> HeaderValue {
        let own = || {
            // Unwrap safety: hexadecimal digits and dashes are what a header may hold.
            HeaderValue::try_from(self.own.to_string()).expect("a uuid")
        };
        self.given.clone().unwrap_or_else(own)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a request is like no other; the ids of what it does are derived from this one"
)]
fn mint() -> Uuid {
    Uuid::now_v7()
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
        let id = RequestId::of(&headers);
        assert_ne!(id.own().to_string(), value, "what we call it is our own");
        let answered = id.answered();
        answered.to_str().expect("a text").to_owned()
    }

    #[test]
    fn a_good_word_comes_back_and_any_other_is_replaced() {
        assert_eq!(of("Order_7-a"), "Order_7-a");
        let long = "x".repeat(65);
        for odd in ["", "a b", "a\"b", "a/b", &long] {
            assert!(Uuid::parse_str(&of(odd)).is_ok(), "{odd:?}");
        }
        assert_ne!(of(""), of(""));
    }
}
