//! What the API promises, collected from the types that do it, as `OpenAPI` 3.1.
//!
//! [`Operation`] is what is known of one endpoint; whatever a handler takes or gives adds itself
//! through [`Documented`]. [`document`](document::document) writes all of them down.

pub mod document;

use std::collections::BTreeSet;

use axum::{
    extract::State,
    http::{Method, StatusCode},
};
use schemars::{Schema, SchemaGenerator};

use super::problem::Code;
use crate::identity::Right;

/// The longest value of a parameter, in characters.
pub const PARAMETER_TEXT_MAX: u16 = 1_024;

/// What a handler takes or gives, and can say of itself.
pub trait Documented {
    /// Adds it to the operation.
    fn document(operation: &mut Operation);
}

impl<S> Documented for State<S> {
    fn document(_: &mut Operation) {}
}

/// Makes the schema of a type.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The part of a request that parameters stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterLocation {
    /// In braces in the path.
    Path,
    /// After the question mark.
    Query,
}

impl ParameterLocation {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
        }
    }
}

/// A header that a caller may send.
#[derive(Debug, Clone, Copy)]
pub struct HeaderParameter {
    /// Its name.
    pub name: &'static str,
    /// What it means, for readers of the document.
    pub description: &'static str,
    /// A regular expression for its values.
    pub pattern: &'static str,
}

/// What belongs together for readers of the document and in generated clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// Its name.
    pub name: &'static str,
    /// What it is about, for readers of the document.
    pub description: &'static str,
}

/// An answer when all is well.
#[derive(Debug, Clone, Copy)]
struct Success {
    status: StatusCode,
    body: Option<SchemaOf>,
    /// The media type of the same as a text, where callers may have it so.
    text: Option<&'static str>,
}

/// What is known of one endpoint.
#[derive(Debug, Clone)]
pub struct Operation {
    method: Method,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    tag: Option<Tag>,
    for_keys: bool,
    right: Option<Right>,
    parameters: Vec<(ParameterLocation, SchemaOf)>,
    headers: Vec<HeaderParameter>,
    body: Option<(&'static str, SchemaOf)>,
    file: Option<&'static str>,
    successes: Vec<Success>,
    /// The headers that every answer has when all is well.
    shown: BTreeSet<&'static str>,
    problems: BTreeSet<Code>,
}

impl Operation {
    /// An operation that only may refuse as every operation may.
    #[must_use]
    pub fn new(method: Method, path: &'static str) -> Self {
        let problems = BTreeSet::from([
            Code::NoCredentials,
            Code::InvalidToken,
            Code::TenantMismatch,
            Code::AccountMismatch,
            Code::TooManyRequests,
            Code::Internal,
            Code::TimedOut,
        ]);
        Self {
            method,
            path,
            id: "",
            summary: "",
            tag: None,
            for_keys: false,
            right: None,
            parameters: Vec::new(),
            headers: Vec::new(),
            body: None,
            file: None,
            successes: Vec::new(),
            shown: BTreeSet::from(["X-Request-Id"]),
            problems,
        }
    }

    /// Its path, with names in braces.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        self.path
    }

    /// The right that it needs.
    #[must_use]
    pub const fn right(&self) -> Option<Right> {
        self.right
    }

    /// Whether it only asks, and changes nothing.
    #[must_use]
    pub fn is_question(&self) -> bool {
        self.method == Method::GET
    }

    /// Its name for generated clients, and one line that says what it does.
    pub const fn name(&mut self, id: &'static str, summary: &'static str) {
        self.id = id;
        self.summary = summary;
    }

    /// It belongs to this.
    pub const fn tag(&mut self, tag: Tag) {
        self.tag = Some(tag);
    }

    /// It answers customers with an API key too.
    pub const fn answers_keys(&mut self) {
        self.for_keys = true;
    }

    /// It needs this right.
    pub fn needs(&mut self, right: Right) {
        self.right = Some(right);
        self.may_refuse(&[Code::RightMissing]);
    }

    /// It takes the fields of this schema as parameters.
    pub fn takes_parameters(&mut self, place: ParameterLocation, schema: SchemaOf) {
        self.parameters.push((place, schema));
    }

    /// It takes this header.
    pub fn takes_header(&mut self, header: HeaderParameter) {
        self.headers.push(header);
    }

    /// It takes a body of this media type and schema.
    pub const fn takes_body(&mut self, media_type: &'static str, schema: SchemaOf) {
        self.body = Some((media_type, schema));
    }

    /// It takes a file of this media type.
    pub const fn takes_file(&mut self, media_type: &'static str) {
        self.file = Some(media_type);
    }

    /// Whether it takes a file, which may take long to arrive.
    #[must_use]
    pub const fn is_upload(&self) -> bool {
        self.file.is_some()
    }

    /// It answers so when all is well; each status once.
    pub fn answers(&mut self, status: StatusCode, body: Option<SchemaOf>) {
        self.successes.push(Success {
            status,
            body,
            text: None,
        });
    }

    /// It answers so when all is well, or with a text of this media type if the caller accepts that
    /// and not JSON.
    pub fn answers_or(&mut self, status: StatusCode, body: SchemaOf, text: &'static str) {
        self.successes.push(Success {
            status,
            body: Some(body),
            text: Some(text),
        });
    }

    /// Its answer has this header when all is well.
    pub fn answers_with(&mut self, header: &'static str) {
        self.shown.insert(header);
    }

    /// It may answer with these problems.
    pub fn may_refuse(&mut self, codes: &[Code]) {
        self.problems.extend(codes);
    }

    /// Whether its document says that it may answer so.
    #[must_use]
    pub fn promises(&self, status: StatusCode, problem: Option<Code>) -> bool {
        match problem {
            Some(code) => self.problems.contains(&code),
            None => self
                .successes
                .iter()
                .any(|success| success.status == status),
        }
    }
}
