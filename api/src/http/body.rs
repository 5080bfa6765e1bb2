//! The body of a request, read strictly.
//!
//! It must be `application/json`, short, soon there, and exactly of the type: a key given twice,
//! a field nobody knows and a value of another form are refused, each by the name of its place.

use std::time::Duration;

use axum::{
    body,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use bytes::Bytes;
use http_body_util::LengthLimitError;
use schema::strict_json::{self, JsonError};
use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;

use super::{
    openapi::{Documented, Operation},
    problem::{Code, Problem},
    reading::{self, Fault, FaultKind},
};

/// How much of a body is read and for how long.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// The most bytes.
    pub max: usize,
    /// The longest time from the end of the headers to the end of the body.
    pub patience: Duration,
}

/// The body as a `T`, which must refuse unknown fields.
#[derive(Debug, Clone)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let limits = request.extensions().get::<BodyLimits>().copied();
        // A route without the edge around it is a mistake of ours.
        let limits = limits.ok_or(Problem::new(Code::Internal))?;
        media_type(request.headers(), "application/json")?;
        let bytes = collect(request.into_body(), limits, Code::MalformedJson).await?;
        let value = strict_json::parse(&bytes).map_err(malformed)?;
        reading::json(&value)
            .map(Self)
            .map_err(|fault| wrong(&fault))
    }
}

impl<T: JsonSchema> Documented for Body<T> {
    fn document(operation: &mut Operation) {
        operation.takes_body("application/json", SchemaGenerator::subschema_for::<T>);
        operation.may_refuse(&[
            Code::MalformedJson,
            Code::UnknownField,
            Code::MissingField,
            Code::InvalidField,
            Code::BodyTooSlow,
            Code::BodyTooLarge,
            Code::UnsupportedMediaType,
        ]);
    }
}

/// Holds the reader of a body to its schema; `good` says what the endpoint itself looks at.
#[cfg(test)]
pub(crate) fn keeps_to_its_schema<T: JsonSchema + DeserializeOwned>(good: impl Fn(T) -> bool) {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_deserialize();
    let schema = settings.into_generator().into_root_schema_for::<T>();
    schema::conformance::reader_keeps_to(&schema.to_value(), |bytes| {
        let value = strict_json::parse(bytes);
        value.is_ok_and(|value| reading::json(&value).is_ok_and(&good))
    });
}

/// Accepts this kind of body, also with `charset=utf-8`, and nothing compressed.
pub(super) fn media_type(headers: &HeaderMap, wanted: &str) -> Result<(), Problem> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let refused = |field: &'static str| Err(Problem::new(Code::UnsupportedMediaType).at(field));
    if text(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return refused("Content-Encoding");
    }
    let mut parts = text(header::CONTENT_TYPE).unwrap_or_default().split(';');
    let wanted = parts
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case(wanted));
    let utf8 = parts.all(|parameter| {
        let parameter = parameter.trim().replace('"', "");
        parameter.is_empty() || parameter.eq_ignore_ascii_case("charset=utf-8")
    });
    if wanted && utf8 {
        Ok(())
    } else {
        refused("Content-Type")
    }
}

/// The whole body; `broken` is what it is called if it breaks off.
pub(super) async fn collect(
    body: body::Body,
    limits: BodyLimits,
    broken: Code,
) -> Result<Bytes, Problem> {
    let reading = body::to_bytes(body, limits.max);
    match tokio::time::timeout(limits.patience, reading).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_length(&error) => Err(Problem::new(Code::BodyTooLarge)),
        Ok(Err(_)) => Err(Problem::new(broken).because("the body broke off")),
        Err(_) => Err(Problem::new(Code::BodyTooSlow)),
    }
}

fn is_length(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>)
}

fn malformed(error: JsonError) -> Problem {
    Problem::new(Code::MalformedJson).because(match error {
        JsonError::NotUtf8 => "the body is not UTF-8",
        JsonError::Syntax => "the body is not JSON",
        JsonError::RepeatedKey => "an object names a key twice",
    })
}

fn wrong(fault: &Fault) -> Problem {
    let code = match fault.kind {
        FaultKind::Unknown => Code::UnknownField,
        FaultKind::Missing => Code::MissingField,
        FaultKind::Repeated
        | FaultKind::WrongType
        | FaultKind::NotOneOf(_)
        | FaultKind::Malformed => Code::InvalidField,
    };
    let problem = Problem::new(code).at(fault.path.clone());
    match detail(fault.kind) {
        Some(detail) => problem.because(detail),
        None => problem,
    }
}

/// What more there is to say of a fault; the code says the rest.
pub(super) fn detail(kind: FaultKind) -> Option<String> {
    match kind {
        FaultKind::WrongType => Some("a value of another type is needed".to_owned()),
        FaultKind::NotOneOf(known) => Some(format!("must be one of {}", known.join(", "))),
        FaultKind::Malformed => Some("not of the form that the API describes".to_owned()),
        FaultKind::Unknown | FaultKind::Missing | FaultKind::Repeated => None,
    }
}
