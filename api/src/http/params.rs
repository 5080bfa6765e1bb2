//! Parameters in query and path, read strictly.
//!
//! Both are percent-encoded UTF-8 without control characters. In a query each name is known and
//! comes once; whoever misspells a filter is told so instead of getting an unfiltered answer.

use std::collections::BTreeSet;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use schemars::{JsonSchema, SchemaGenerator};
use serde::de::DeserializeOwned;

use super::{
    body,
    openapi::{Documented, Operation, PARAMETER_TEXT_MAX, ParameterLocation},
    problem::{Code, Problem},
    reading::{self, Fault, FaultKind},
};

/// The most parameters that are looked at.
const PARAMETERS_MAX: usize = 50;

/// The parameters of the query as a `T`, which must refuse unknown fields.
#[derive(Debug, Clone)]
pub struct Params<T>(pub T);

/// The parameters of the path as a `T`.
#[derive(Debug, Clone)]
pub struct PathParams<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = pairs(parts.uri.query().unwrap_or_default())?;
        let mut names = BTreeSet::new();
        let repeated = !pairs.iter().all(|(name, _)| names.insert(name));
        match reading::texts(&pairs) {
            // An unknown name is the greater mistake, and a known one can be told.
            Err(fault) if fault.kind == FaultKind::Unknown || !repeated => Err(wrong(&fault)),
            _ if repeated => Err(Problem::new(Code::RepeatedParameter)),
            read => {
                let read = read.map_err(|fault| wrong(&fault))?;
                none_too_long(&pairs)?;
                Ok(Self(read))
            }
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for PathParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let raw = RawPathParams::from_request_parts(parts, state).await;
        let raw = raw.map_err(|_| Problem::new(Code::InvalidParameter))?;
        let pairs: Vec<_> = raw
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let read = reading::texts(&pairs).map_err(|fault| wrong(&fault))?;
        none_too_long(&pairs)?;
        Ok(Self(read))
    }
}

impl<T: JsonSchema> Documented for Params<T> {
    fn document(operation: &mut Operation) {
        operation.takes_parameters(ParameterLocation::Query, schema_of::<T>);
        operation.may_refuse(&[
            Code::MalformedQuery,
            Code::UnknownParameter,
            Code::RepeatedParameter,
            Code::MissingParameter,
            Code::InvalidParameter,
        ]);
    }
}

impl<T: JsonSchema> Documented for PathParams<T> {
    fn document(operation: &mut Operation) {
        operation.takes_parameters(ParameterLocation::Path, schema_of::<T>);
        operation.may_refuse(&[Code::InvalidParameter]);
    }
}

/// The schema itself and no reference to it, because its fields become parameters.
fn schema_of<T: JsonSchema>(generator: &mut SchemaGenerator) -> schemars::Schema {
    T::json_schema(generator)
}

/// Refuses values that are longer than any parameter may be; their names are known.
fn none_too_long(pairs: &[(String, String)]) -> Result<(), Problem> {
    let long =
        |(_, value): &&(String, String)| value.chars().count() > usize::from(PARAMETER_TEXT_MAX);
    match pairs.iter().find(long) {
        Some((name, _)) => Err(Problem::new(Code::InvalidParameter).at(name.clone())),
        None => Ok(()),
    }
}

/// Names and values of a query.
fn pairs(query: &str) -> Result<Vec<(String, String)>, Problem> {
    let malformed = || Problem::new(Code::MalformedQuery);
    let parts = query.split('&').filter(|part| !part.is_empty());
    let pairs = parts.take(PARAMETERS_MAX + 1).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        decoded(name).zip(decoded(value)).ok_or_else(malformed)
    });
    let pairs = pairs.collect::<Result<Vec<_>, _>>()?;
    if pairs.len() > PARAMETERS_MAX {
        return Err(malformed());
    }
    Ok(pairs)
}

/// Undoes the encoding of forms. A `%` without two hexadecimal digits is an error here, which
/// lenient decoders would pass on as it is.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = match first {
            b'%' => {
                let digit = |at: usize| char::from(*after.get(at)?).to_digit(16);
                let byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
                bytes.push(byte);
                &after[2..]
            }
            b'+' => {
                bytes.push(b' ');
                after
            }
            byte => {
                bytes.push(byte);
                after
            }
        };
    }
    String::from_utf8(bytes).ok()
}

fn wrong(fault: &Fault) -> Problem {
    let code = match fault.kind {
        FaultKind::Unknown => Code::UnknownParameter,
        FaultKind::Missing => Code::MissingParameter,
        FaultKind::Repeated => Code::RepeatedParameter,
        FaultKind::WrongType | FaultKind::NotOneOf(_) | FaultKind::Malformed => {
            Code::InvalidParameter
        }
    };
    let mut problem = Problem::new(code);
    if let Some(name) = fault.path.strip_prefix('/') {
        problem = problem.at(name.to_owned());
    }
    match body::detail(fault.kind) {
        Some(detail) => problem.because(detail),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded_or_refused() {
        let good = pairs("a=1&b=x%20y+z&c=&d&&e=%C3%A9").expect("good");
        let good: Vec<_> = good
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let expected = [("a", "1"), ("b", "x y z"), ("c", ""), ("d", ""), ("e", "é")];
        assert_eq!(good, expected);
        let many = "a=1&".repeat(PARAMETERS_MAX + 1);
        for wrong in ["a=%", "a=%2", "a=%zz", "%ff=1", "a=%c3%28", "a=%+1", &many] {
            let problem = pairs(wrong).expect_err("refused");
            assert_eq!(problem.code(), Code::MalformedQuery, "{wrong}");
        }
    }
}
