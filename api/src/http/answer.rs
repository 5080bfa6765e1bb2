//! What endpoints answer when all is well; each kind of answer documents itself.

use axum::{
    body::Body,
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LOCATION, VARY},
    },
    response::{IntoResponse, Response},
};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;

use super::{
    csv::{self, Csv},
    headers::ETag,
    openapi::{Documented, Operation},
    problem::{Code, Problem},
};

/// 200 with a body.
#[derive(Debug, Clone)]
pub struct Found<T>(pub T);

/// 200 with a page as JSON, or with all of it as a table.
#[derive(Debug)]
pub enum FoundOrTable<T> {
    /// A page.
    Page(T),
    /// All.
    Table(Csv),
}

/// 201 with what was made.
#[derive(Debug, Clone)]
pub struct Created<T>(pub T);

/// 201 with what was made, or 200 with what was there and now is as the caller wants it.
#[derive(Debug, Clone)]
pub enum Put<T> {
    /// It was not there.
    Created(T),
    /// It was there.
    Changed(T),
}

/// An answer that says where the thing is that it shows.
#[derive(Debug, Clone)]
pub struct Located<A>(pub String, pub A);

/// 204: done, and nothing to show.
#[derive(Debug, Clone, Copy)]
pub struct Done;

/// An answer with the `ETag` of what it shows.
#[derive(Debug, Clone)]
pub struct Tagged<A>(pub ETag, pub A);

impl<T: Serialize> IntoResponse for Found<T> {
    fn into_response(self) -> Response {
        json(StatusCode::OK, &self.0)
    }
}

impl<T: Serialize> IntoResponse for FoundOrTable<T> {
    fn into_response(self) -> Response {
        let mut response = match self {
            Self::Page(page) => Found(page).into_response(),
            Self::Table(table) => table.into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("accept"));
        response
    }
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        json(StatusCode::CREATED, &self.0)
    }
}

impl<T: Serialize> IntoResponse for Put<T> {
    fn into_response(self) -> Response {
        match self {
            Self::Created(body) => Created(body).into_response(),
            Self::Changed(body) => Found(body).into_response(),
        }
    }
}

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl<A: IntoResponse> IntoResponse for Tagged<A> {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        response.headers_mut().insert(ETAG, self.0.into());
        response
    }
}

impl<A: IntoResponse> IntoResponse for Located<A> {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        match HeaderValue::try_from(self.0) {
            Ok(place) => {
                response.headers_mut().insert(LOCATION, place);
                response
            }
            Err(_) => Problem::new(Code::Internal).into_response(),
        }
    }
}

impl<T: JsonSchema> Documented for Found<T> {
    fn document(operation: &mut Operation) {
        operation.answers(StatusCode::OK, Some(SchemaGenerator::subschema_for::<T>));
    }
}

impl<T: JsonSchema> Documented for FoundOrTable<T> {
    fn document(operation: &mut Operation) {
        let page = SchemaGenerator::subschema_for::<T>;
        operation.answers_or(StatusCode::OK, page, csv::MEDIA_TYPE);
    }
}

impl<T: JsonSchema> Documented for Created<T> {
    fn document(operation: &mut Operation) {
        operation.answers(
            StatusCode::CREATED,
            Some(SchemaGenerator::subschema_for::<T>),
        );
    }
}

impl<T: JsonSchema> Documented for Put<T> {
    fn document(operation: &mut Operation) {
        Created::<T>::document(operation);
        Found::<T>::document(operation);
    }
}

impl Documented for Done {
    fn document(operation: &mut Operation) {
        operation.answers(StatusCode::NO_CONTENT, None);
    }
}

impl<A: Documented> Documented for Tagged<A> {
    fn document(operation: &mut Operation) {
        A::document(operation);
        operation.answers_with("ETag");
    }
}

impl<A: Documented> Documented for Located<A> {
    fn document(operation: &mut Operation) {
        A::document(operation);
        operation.answers_with("Location");
    }
}

impl<A: Documented> Documented for Result<A, Problem> {
    fn document(operation: &mut Operation) {
        A::document(operation);
    }
}

fn json<T: Serialize>(status: StatusCode, body: &T) -> Response {
    let Ok(bytes) = serde_json::to_vec(body) else {
        return Problem::new(Code::Internal).into_response();
    };
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // Bills and prices are nothing that a proxy on the way should keep.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
