//! The headers that endpoints speak: `ETag`, `If-Match`, `Idempotency-Key`.

use std::fmt;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, request::Parts},
};

use super::{
    openapi::{Documented, HeaderParameter, Operation},
    problem::{Code, Problem},
};

/// Which version of a thing this is: the position in the log of the last event that changed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ETag(pub u64);

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0)
    }
}

impl From<ETag> for HeaderValue {
    fn from(tag: ETag) -> Self {
        // Unwrap safety: digits and quotes are what a header may hold.
        Self::try_from(tag.to_string()).expect("digits in quotes")
    }
}

/// On which condition the caller wants a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfMatch {
    /// None was named.
    Any,
    /// The thing exists (`*`).
    Exists,
    /// The thing is still of this version.
    Is(ETag),
}

impl IfMatch {
    /// Whether the change may be made to a thing of version `current`.
    ///
    /// # Errors
    /// The thing is of another version.
    pub fn check(self, current: ETag) -> Result<(), Problem> {
        match self {
            Self::Is(wanted) if wanted != current => {
                Err(Problem::new(Code::PreconditionFailed).at(IF_MATCH.name))
            }
            Self::Any | Self::Exists | Self::Is(_) => Ok(()),
        }
    }
}

/// Names a piece of work, so that asking for it twice does it once. Absent or 1 to 128 printable
/// ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

const IF_MATCH: HeaderParameter = HeaderParameter {
    name: "If-Match",
    description: "The `ETag` of the version that the change is meant for, or `*`.",
    pattern: r#"^(\*|"[0-9]{1,19}")$"#,
};

const IDEMPOTENCY_KEY: HeaderParameter = HeaderParameter {
    name: "Idempotency-Key",
    description: "Names this piece of work. The same key and body again get the same answer.",
    pattern: r"^[!-~]([ -~]{0,126}[!-~])?$",
};

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(text) = only(&parts.headers, IF_MATCH.name)? else {
            return Ok(Self::Any);
        };
        if text == "*" {
            return Ok(Self::Exists);
        }
        let position = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse().ok());
        let position = position.ok_or_else(|| invalid(IF_MATCH.name))?;
        Ok(Self::Is(ETag(position)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(text) = only(&parts.headers, IDEMPOTENCY_KEY.name)? else {
            return Ok(Self(None));
        };
        let printable = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        if !printable || !(1..=128).contains(&text.len()) {
            return Err(invalid(IDEMPOTENCY_KEY.name));
        }
        Ok(Self(Some(text.to_owned())))
    }
}

impl Documented for IfMatch {
    fn document(operation: &mut Operation) {
        operation.takes_header(IF_MATCH);
        operation.may_refuse(&[Code::InvalidHeader, Code::PreconditionFailed]);
    }
}

impl Documented for IdempotencyKey {
    fn document(operation: &mut Operation) {
        operation.takes_header(IDEMPOTENCY_KEY);
        operation.may_refuse(&[Code::InvalidHeader, Code::IdempotencyKeyReused]);
    }
}

/// The value of a header that may be there once.
fn only<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| invalid(name)),
        (Some(_), Some(_)) => Err(invalid(name)),
    }
}

fn invalid(name: &'static str) -> Problem {
    Problem::new(Code::InvalidHeader).at(name)
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn read<T: FromRequestParts<()>>(name: &str, values: &[&str]) -> Result<T, T::Rejection> {
        let mut request = Request::builder();
        for value in values {
            request = request.header(name, *value);
        }
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        T::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn a_change_may_be_meant_for_one_version() {
        let of = |values: &'static [&'static str]| read::<IfMatch>("if-match", values);
        assert_eq!(of(&[]).await, Ok(IfMatch::Any));
        assert_eq!(of(&["*"]).await, Ok(IfMatch::Exists));
        let seven = of(&["\"7\""]).await.expect("good");
        assert_eq!(seven, IfMatch::Is(ETag(7)));
        assert!(seven.check(ETag(7)).is_ok() && seven.check(ETag(8)).is_err());
        let many: &[&[&str]] = &[
            &["7"],
            &["W/\"7\""],
            &["\"7\", \"8\""],
            &["\"\""],
            &["\"+7\""],
            &["\"99999999999999999999\""],
            &["\"7\"", "\"8\""],
        ];
        for wrong in many {
            let problem = of(wrong).await.expect_err("refused");
            assert_eq!(problem.code(), Code::InvalidHeader, "{wrong:?}");
        }
    }

    #[tokio::test]
    async fn an_idempotency_key_is_short_and_printable() {
        let long = "x".repeat(129);
        let of = |value: String| async move {
            read::<IdempotencyKey>("idempotency-key", &[&value]).await
        };
        assert_eq!(
            of("a b".into()).await,
            Ok(IdempotencyKey(Some("a b".into())))
        );
        for wrong in [String::new(), "é".into(), long] {
            assert!(of(wrong).await.is_err());
        }
    }
}
