//! A table as the body of a request: `text/csv`, short, and soon there. What its cells are is the
//! endpoint's own matter.

use std::marker::PhantomData;

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use schemars::{Schema, SchemaGenerator, json_schema};

use super::{
    body::{BodyLimits, collect, media_type},
    openapi::{Documented, Operation},
    problem::{Code, Problem},
};

/// The media type.
const MEDIA_TYPE: &str = "text/csv";

/// What a table is to be.
pub trait CsvContent: Send + 'static {
    /// The most bytes of it.
    const BYTES_MAX: usize;

    /// What is in it, for whoever makes one.
    fn description() -> String;
}

/// The bytes of a table of `T`.
#[derive(Debug, Clone)]
pub struct Csv<T>(pub Bytes, PhantomData<T>);

impl<S: Send + Sync, T: CsvContent> FromRequest<S> for Csv<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let limits = request.extensions().get::<BodyLimits>().copied();
        // A route without the edge around it is a mistake of ours.
        let limits = limits.ok_or(Problem::new(Code::Internal))?;
        media_type(request.headers(), MEDIA_TYPE)?;
        let limits = BodyLimits {
            max: T::BYTES_MAX,
            ..limits
        };
        let bytes = collect(request.into_body(), limits, Code::MalformedCsv).await?;
        Ok(Self(bytes, PhantomData))
    }
}

impl<T: CsvContent> Documented for Csv<T> {
    fn document(operation: &mut Operation) {
        operation.takes_body(MEDIA_TYPE, schema::<T>);
        operation.may_refuse(&[
            Code::MalformedCsv,
            Code::BodyTooSlow,
            Code::BodyTooLarge,
            Code::UnsupportedMediaType,
        ]);
    }
}

fn schema<T: CsvContent>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "description": T::description() })
}
