//! What goes wrong is told as a problem document (RFC 9457) with a stable code.
//!
//! A problem never repeats what the caller sent: `detail` is one of our own sentences, `field` a
//! name from our own documents. Whoever needs more finds the log lines by `requestId`.

use std::borrow::Cow;

use axum::{
    body::Body,
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use uuid::Uuid;

/// The media type of every problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $name:ident = $status:ident, $code:literal, $title:literal;)+) => {
        /// Everything that can go wrong, as callers may rely on it. A code keeps its meaning and
        /// its status for ever.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum Code {
            $($(#[doc = $meaning])+ #[serde(rename = $code)] $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The HTTP status it comes with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// The code as it is written in answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// A short name for people.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($meaning),+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    /// The query is not of the form name=value&name=value in percent-encoded UTF-8.
    MalformedQuery = BAD_REQUEST, "malformed_query", "Query cannot be read";
    /// The query has a parameter that this endpoint does not know.
    UnknownParameter = BAD_REQUEST, "unknown_parameter", "Unknown parameter";
    /// A parameter is given more than once.
    RepeatedParameter = BAD_REQUEST, "repeated_parameter", "Repeated parameter";
    /// A parameter that is needed is not there.
    MissingParameter = BAD_REQUEST, "missing_parameter", "Missing parameter";
    /// A parameter in query or path has a value it cannot have.
    InvalidParameter = BAD_REQUEST, "invalid_parameter", "Invalid parameter";
    /// A header has a value it cannot have.
    InvalidHeader = BAD_REQUEST, "invalid_header", "Invalid header";
    /// The body is not JSON in UTF-8, names a key twice, or broke off.
    MalformedJson = BAD_REQUEST, "malformed_json", "Body cannot be read";
    /// The body has a field that this endpoint does not know.
    UnknownField = BAD_REQUEST, "unknown_field", "Unknown field";
    /// A field that is needed is not there.
    MissingField = BAD_REQUEST, "missing_field", "Missing field";
    /// A field has a value it cannot have.
    InvalidField = BAD_REQUEST, "invalid_field", "Invalid field";
    /// The file is not CSV in UTF-8 of the columns and values described, or broke off; `detail` names
    /// line and column.
    MalformedCsv = BAD_REQUEST, "malformed_csv", "File cannot be read";
    /// A period ends before it begins.
    PeriodReversed = BAD_REQUEST, "period_reversed", "Period reversed";
    /// More days are asked for than one answer tells.
    SpanTooLong = BAD_REQUEST, "span_too_long", "Too many days";
    /// The cursor is none that this list gave with these filters.
    InvalidCursor = BAD_REQUEST, "invalid_cursor", "Invalid cursor";
    /// The caller acts for a whole tenant and must say which account.
    AccountRequired = BAD_REQUEST, "account_required", "Which account?";
    /// The call says not who makes it.
    NoCredentials = UNAUTHORIZED, "no_credentials", "Who are you?";
    /// The token is forged, expired, not yet valid, meant for somebody else, or no token at all.
    InvalidToken = UNAUTHORIZED, "invalid_token", "Token not accepted";
    /// The caller is known and lacks the right this endpoint needs.
    RightMissing = FORBIDDEN, "right_missing", "Right missing";
    /// `X-Tenant-Id` names another tenant than the token.
    TenantMismatch = FORBIDDEN, "tenant_mismatch", "Another tenant's token";
    /// `X-Account-Id` or the call names an account that the caller may not act for.
    AccountMismatch = FORBIDDEN, "account_mismatch", "Another account";
    /// Who proposed something may not approve it.
    OwnProposal = FORBIDDEN, "own_proposal", "Another person's to approve";
    /// There is no endpoint at this path.
    NoSuchRoute = NOT_FOUND, "no_such_route", "No such endpoint";
    /// The thing does not exist, or belongs to somebody else.
    NotFound = NOT_FOUND, "not_found", "Not found";
    /// The endpoint does not know this method; the header `Allow` lists those it knows.
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed";
    /// The body did not arrive in time.
    BodyTooSlow = REQUEST_TIMEOUT, "body_too_slow", "Body too slow";
    /// A version of the same key covers part of the period already.
    PeriodOverlaps = CONFLICT, "period_overlaps", "Period overlaps";
    /// The version has ended, or will have by then; it cannot be changed any more.
    AlreadyClosed = CONFLICT, "already_closed", "Already closed";
    /// A change would begin in the past, where it is history.
    PeriodInPast = CONFLICT, "period_in_past", "Period in the past";
    /// The price would change what recorded charges cost.
    WouldReprice = CONFLICT, "would_reprice", "Recorded charges would be priced anew";
    /// Another sheet was applied under this id; a sheet that is different needs another one.
    SheetIdReused = CONFLICT, "sheet_id_reused", "Sheet id used before";
    /// The account is registered under another tenant.
    AccountOfAnotherTenant = CONFLICT, "account_of_another_tenant", "Another tenant's account";
    /// Somebody approved or rejected it before.
    AlreadyDecided = CONFLICT, "already_decided", "Already decided";
    /// Another file came under the same id before.
    IdReused = CONFLICT, "id_reused", "Id used before";
    /// The thing is not what `If-Match` says; read it again.
    PreconditionFailed = PRECONDITION_FAILED, "precondition_failed", "Changed meanwhile";
    /// The body is longer than allowed.
    BodyTooLarge = PAYLOAD_TOO_LARGE, "body_too_large", "Body too large";
    /// The sheet has more lines than one may have.
    SheetTooLong = PAYLOAD_TOO_LARGE, "sheet_too_long", "Sheet too long";
    /// The body is not of the media type that the endpoint takes, or is compressed.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type",
        "Unsupported media type";
    /// Each value can be understood, but they do not fit together or break a rule.
    Unacceptable = UNPROCESSABLE_ENTITY, "unacceptable", "Not acceptable";
    /// Lines of the sheet cannot be applied, so none is; `refusals` says which and why.
    SheetRefused = UNPROCESSABLE_ENTITY, "sheet_refused", "Sheet refused";
    /// Nobody registered the account, or its tenant is erased.
    AccountNotRegistered = UNPROCESSABLE_ENTITY, "account_not_registered",
        "Account not registered";
    /// The account is not registered with the currency and never paid in it; or the message was
    /// charged in another.
    CurrencyNotOfAccount = UNPROCESSABLE_ENTITY, "currency_not_of_account",
        "Not a currency of the account";
    /// The message is not charged, or on another account.
    MessageNotOfAccount = UNPROCESSABLE_ENTITY, "message_not_of_account",
        "Not a charge of the account";
    /// The same `Idempotency-Key` came with another body before.
    IdempotencyKeyReused = UNPROCESSABLE_ENTITY, "idempotency_key_reused",
        "Idempotency key used before";
    /// The caller has made too many calls; `Retry-After` says when the next one may come.
    TooManyRequests = TOO_MANY_REQUESTS, "too_many_requests", "Too many requests";
    /// A mistake of ours. The log has the rest.
    Internal = INTERNAL_SERVER_ERROR, "internal", "Internal error";
    /// The answer was not ready in time. A write may have taken effect all the same.
    TimedOut = SERVICE_UNAVAILABLE, "timed_out", "Timed out";
    /// Something needed is away at the moment.
    Unavailable = SERVICE_UNAVAILABLE, "unavailable", "Unavailable";
    /// Too many others change the same at this moment; nothing was written.
    Contended = SERVICE_UNAVAILABLE, "contended", "Too many at once";
    /// The write stands and cannot be read yet.
    NotYetVisible = SERVICE_UNAVAILABLE, "not_yet_visible", "Not yet visible";
}

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "ProblemCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let line = |code: &Code| format!("- `{}`: {}", code.as_str(), code.meaning());
        let lines: Vec<_> = Self::ALL.iter().map(line).collect();
        json_schema!({
            "type": "string",
            "enum": Self::ALL,
            "description": format!(
                "What went wrong. A code keeps its meaning and its status for ever.\n\n{}",
                lines.join("\n")
            ),
        })
    }
}

/// One problem on its way to a caller.
///
/// As a response it has no body until [`Problem::document`] is written into it, because only the
/// outermost layer knows the request's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    code: Code,
    detail: Option<Cow<'static, str>>,
    field: Option<Cow<'static, str>>,
    retry_after: Option<u64>,
    refusals: Vec<LineRefusal>,
}

/// The most lines that a problem tells of.
pub const REFUSALS_MAX: usize = 100;

macro_rules! line_faults {
    ($($(#[doc = $meaning:literal])+ $name:ident = $word:literal,)+) => {
        /// What can be wrong with a line of a table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
        pub enum LineFault {
            $($(#[doc = $meaning])+ #[serde(rename = $word)] $name,)+
        }
    };
}

line_faults! {
    /// A cell that must not be empty is.
    MissingValue = "missing_value",
    /// A cell has a value it cannot have.
    InvalidValue = "invalid_value",
    /// A cell begins as a formula does, which a spreadsheet would carry out.
    Formula = "formula",
    /// The line has more or fewer cells than the header.
    CellCount = "cell_count",
    /// It overlaps another line for the same thing.
    LinesOverlap = "lines_overlap",
    /// Its period ends before it begins.
    PeriodReversed = "period_reversed",
    /// Its period overlaps a version that begins later.
    PeriodOverlaps = "period_overlaps",
    /// It would change what was in effect in the past.
    PeriodInPast = "period_in_past",
    /// It would change what recorded charges cost.
    WouldReprice = "would_reprice",
}

/// A line of a table that is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LineRefusal {
    /// Where it stands in the file; the header is on line 1.
    pub line: u32,
    /// The column at fault, by its name; null where it is the whole line.
    pub column: Option<&'static str>,
    /// What programs go by.
    pub reason: LineFault,
    /// What is wrong, for people.
    pub detail: Cow<'static, str>,
}

/// A problem as it is written (RFC 9457).
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Problem")]
pub struct ProblemDocument {
    /// `urn:tollbook:problem:` and the code.
    #[serde(rename = "type")]
    #[schemars(regex(pattern = r"^urn:tollbook:problem:[a-z_]+$"))]
    kind: String,
    /// A short name for people; the same for every problem of this code.
    title: &'static str,
    /// The HTTP status.
    #[schemars(range(min = 400, max = 599))]
    status: u16,
    /// What programs go by.
    code: Code,
    /// What is wrong this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'static, str>>,
    /// What is at fault: a JSON pointer into the body, or the name of a parameter or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<Cow<'static, str>>,
    /// The lines of a table that are refused, the first 100 of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refusals: Vec<LineRefusal>,
    /// The request, as in `X-Request-Id`.
    request_id: Uuid,
}

impl Problem {
    /// A problem that needs no more words than its code.
    #[must_use]
    pub const fn new(code: Code) -> Self {
        Self {
            code,
            detail: None,
            field: None,
            retry_after: None,
            refusals: Vec::new(),
        }
    }

    /// Says which lines of a table are refused.
    #[must_use]
    pub fn lines(mut self, mut refusals: Vec<LineRefusal>) -> Self {
        refusals.truncate(REFUSALS_MAX);
        self.refusals = refusals;
        self
    }

    /// Says what is wrong this time. Never with words of the caller.
    #[must_use]
    pub fn because(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Names the parameter, the header or (as a JSON pointer) the field at fault.
    #[must_use]
    pub fn at(mut self, field: impl Into<Cow<'static, str>>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Says after how many seconds to try again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Its code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The body of the answer to the request `request_id`.
    #[must_use]
    pub fn document(&self, request_id: Uuid) -> Vec<u8> {
        let code = self.code;
        let document = ProblemDocument {
            kind: format!("urn:tollbook:problem:{}", code.as_str()),
            title: code.title(),
            status: code.status().as_u16(),
            code,
            detail: self.detail.clone(),
            field: self.field.clone(),
            refusals: self.refusals.clone(),
            request_id,
        };
        // Unwrap safety: texts and numbers under fixed names are always JSON.
        serde_json::to_vec(&document).expect("a problem is JSON")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let away = self.code.status() == StatusCode::SERVICE_UNAVAILABLE;
        if let Some(seconds) = self.retry_after.or(away.then_some(1)) {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        match self.code {
            Code::NoCredentials => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Code::InvalidToken => {
                let why = HeaderValue::from_static("Bearer error=\"invalid_token\"");
                headers.insert(WWW_AUTHENTICATE, why);
            }
            _ => {}
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_problem_is_a_document_with_a_stable_code() {
        let problem = Problem::new(Code::MissingParameter)
            .because("this parameter is needed")
            .at("from");
        let document: Value = serde_json::from_slice(&problem.document(Uuid::nil())).expect("JSON");
        let expected = json!({
            "type": "urn:tollbook:problem:missing_parameter",
            "title": "Missing parameter",
            "status": 400,
            "code": "missing_parameter",
            "detail": "this parameter is needed",
            "field": "from",
            "requestId": Uuid::nil(),
        });
        assert_eq!(document, expected);
    }

    #[test]
    fn every_code_is_an_error_with_a_name_of_its_own() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            let status = code.status();
            assert!(status.is_client_error() || status.is_server_error());
            assert!(code.meaning().ends_with('.') && !code.title().is_empty());
            assert_eq!(json!(code), json!(code.as_str()));
        }
    }
}
