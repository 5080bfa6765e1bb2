//! Writes the `OpenAPI` document.
//!
//! It is written so that generators make good clients of it: each problem is the one named schema,
//! whatever its code; operations have tags; every text and number is bounded, and no default is one
//! that may not be sent; bodies have examples that fit them (ADR 0044).

mod bounds;
mod examples;

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use self::{
    bounds::{ANSWERED_TEXT_MAX, SENT_TEXT_MAX},
    examples::Examples,
};
use super::{Operation, PARAMETER_TEXT_MAX, ParameterLocation, SchemaOf, Success, Tag};
use crate::http::problem::{Code, MEDIA_TYPE, Problem, ProblemDocument};

const ABOUT: &str = "What messages cost: usage, prices, costs, accounts.\n\n\
    Callers name themselves by a JWT as bearer token. API keys are resolved by the gateway, which \
    calls over mutual TLS.\n\n\
    Money is a decimal string. Times are RFC 3339 with an offset. Whatever goes wrong is a problem \
    document (RFC 9457) with a stable `code`. Every answer carries `X-Request-Id`; send your own \
    (1 to 64 letters, digits, `_` and `-`) or take ours, and name it when you ask for help.";

/// The document of these operations.
#[must_use]
pub fn document<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> Value {
    let mut writer = Writer::default();
    let mut paths = BTreeMap::<&str, Map<String, Value>>::new();
    let mut tags = BTreeSet::<Tag>::new();
    for operation in operations {
        let written = writer.operation(operation);
        tags.extend(operation.tag);
        let method = operation.method.as_str().to_lowercase();
        paths
            .entry(operation.path)
            .or_default()
            .insert(method, written);
    }
    let schemas = writer.schemas();
    let examples = Examples(&schemas);
    let operations = paths.values_mut().flat_map(Map::values_mut);
    operations.for_each(|operation| exemplify(operation, &examples));
    let tags = tags
        .iter()
        .map(|tag| json!({ "name": tag.name, "description": tag.description }));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tollbook billing",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
        },
        "servers": [{ "url": "/" }],
        "tags": tags.collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": security_schemes(),
            "headers": headers(),
        },
    })
}

/// How callers name themselves.
fn security_schemes() -> Value {
    json!({
        "token": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token of your identity provider.",
        },
        "apiKey": {
            "type": "apiKey",
            "in": "header",
            "name": "apikey",
            "description": "A customer's key, at the gateway. The gateway says whose it is; the \
                service itself knows no keys.",
        },
    })
}

/// Gives every JSON body of an operation an example.
fn exemplify(operation: &mut Value, examples: &Examples<'_>) {
    let give = |content: Option<&mut Value>| {
        let content = content.and_then(|content| content.get_mut("application/json"));
        if let Some(content) = content
            && let Some(example) = examples.of(&content["schema"])
        {
            content["example"] = example;
        }
    };
    give(operation.pointer_mut("/requestBody/content"));
    let responses = operation["responses"].as_object_mut();
    for response in responses.into_iter().flat_map(Map::values_mut) {
        give(response.get_mut("content"));
    }
}

/// What is sent and what is answered have schemas of their own: a field with a default may be
/// left out of the one and is always in the other.
struct Writer {
    sent: SchemaGenerator,
    answered: SchemaGenerator,
}

impl Default for Writer {
    fn default() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            sent: settings.clone().for_deserialize().into_generator(),
            answered: settings.for_serialize().into_generator(),
        }
    }
}

impl Writer {
    fn operation(&mut self, operation: &Operation) -> Value {
        let needs = operation.right.map(|right| format!("Needs `{right}`."));
        let mut written = json!({
            "operationId": operation.id,
            "summary": operation.summary,
            "description": needs.unwrap_or_default(),
            "tags": operation.tag.iter().map(|tag| tag.name).collect::<Vec<_>>(),
            "security": security(operation),
            "parameters": self.parameters(operation),
            "responses": self.responses(operation),
        });
        if let Some((media_type, schema)) = operation.body {
            written["requestBody"] = json!({
                "required": true,
                "content": { media_type: { "schema": schema(&mut self.sent) } },
            });
        }
        if let Some(media_type) = operation.file {
            written["requestBody"] = json!({
                "required": true,
                "content": { media_type: { "schema": { "type": "string" } } },
            });
        }
        written
    }

    fn parameters(&mut self, operation: &Operation) -> Vec<Value> {
        let mut written = Vec::new();
        for &(place, schema) in &operation.parameters {
            written.extend(self.fields(place, schema));
        }
        for header in &operation.headers {
            written.push(json!({
                "name": header.name,
                "in": "header",
                "required": false,
                "description": header.description,
                "schema": { "type": "string", "pattern": header.pattern },
            }));
        }
        written
    }

    /// One parameter per field.
    fn fields(&mut self, place: ParameterLocation, schema: SchemaOf) -> Vec<Value> {
        let schema = schema(&mut self.sent).to_value();
        let required = &schema["required"];
        let is_required = |name: &str| {
            let names = required.as_array().map(Vec::as_slice).unwrap_or_default();
            place == ParameterLocation::Path || names.iter().any(|required| required == name)
        };
        let fields = schema["properties"].as_object();
        let fields = fields.into_iter().flatten().map(|(name, field)| {
            let mut field = field.clone();
            let description = field
                .as_object_mut()
                .and_then(|field| field.remove("description"));
            without_null(&mut field);
            bounds::complete(&mut field, PARAMETER_TEXT_MAX.into());
            json!({
                "name": name,
                "in": place.as_str(),
                "required": is_required(name),
                "description": description.unwrap_or_default(),
                "schema": field,
            })
        });
        fields.collect()
    }

    fn responses(&mut self, operation: &Operation) -> Map<String, Value> {
        let mut responses = Map::new();
        for success in &operation.successes {
            let status = success.status.as_u16().to_string();
            responses.insert(status, self.success(*success, &operation.shown));
        }
        let mut by_status = BTreeMap::<u16, Vec<Code>>::new();
        for code in &operation.problems {
            by_status
                .entry(code.status().as_u16())
                .or_default()
                .push(*code);
        }
        for (status, codes) in by_status {
            responses.insert(status.to_string(), self.problem(status, &codes));
        }
        responses
    }

    fn success(&mut self, success: Success, headers: &BTreeSet<&str>) -> Value {
        let description = success.status.canonical_reason().unwrap_or_default();
        let mut written = json!({ "description": description, "headers": references(headers) });
        if let Some(schema) = success.body {
            let schema = schema(&mut self.answered);
            written["content"] = json!({ "application/json": { "schema": schema } });
        }
        if let Some(media_type) = success.text {
            written["content"][media_type] = json!({ "schema": { "type": "string" } });
        }
        written
    }

    fn problem(&mut self, status: u16, codes: &[Code]) -> Value {
        let mut headers = BTreeSet::from(["X-Request-Id"]);
        if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert("Retry-After");
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert("WWW-Authenticate");
        }
        let lines = codes
            .iter()
            .map(|code| format!("- `{}`: {}", code.as_str(), code.meaning()));
        let schema = self.answered.subschema_for::<ProblemDocument>();
        let first = codes
            .first()
            .map(|code| Problem::new(*code).document(Uuid::nil()));
        // Unwrap safety: a problem is written as JSON.
        let example = first.map(|first| serde_json::from_slice::<Value>(&first).expect("JSON"));
        json!({
            "description": lines.collect::<Vec<_>>().join("\n"),
            "headers": references(&headers),
            "content": { MEDIA_TYPE: { "schema": schema, "example": example } },
            "x-codes": codes,
        })
    }

    /// All named schemas.
    ///
    /// # Panics
    /// A name means one thing when sent and another when answered. A test writes the document, so
    /// this is found before anybody runs it.
    fn schemas(mut self) -> Map<String, Value> {
        let mut schemas = self.answered.take_definitions(true);
        for (name, sent) in self.sent.take_definitions(true) {
            let answered = schemas.entry(name.clone()).or_insert_with(|| sent.clone());
            assert_eq!(*answered, sent, "{name} needs a type for each direction");
            bounds::complete(answered, SENT_TEXT_MAX);
        }
        for schema in schemas.values_mut() {
            bounds::complete(schema, ANSWERED_TEXT_MAX);
        }
        schemas
    }
}

/// How its callers may name themselves.
fn security(operation: &Operation) -> Value {
    if operation.for_keys {
        json!([{ "token": [] }, { "apiKey": [] }])
    } else {
        json!([{ "token": [] }])
    }
}

/// A parameter is there or not; it cannot be null.
fn without_null(schema: &mut Value) {
    let is_null = |part: &Value| part == "null" || part["type"] == "null";
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    for key in ["type", "anyOf", "enum"] {
        if let Some(Value::Array(parts)) = object.get_mut(key) {
            parts.retain(|part| !is_null(part) && !part.is_null());
        }
    }
    if let Some(Value::Array(types)) = object.get("type")
        && let [only] = types.as_slice()
    {
        let only = only.clone();
        object.insert("type".to_owned(), only);
    }
    if let Some(Value::Array(parts)) = object.get("anyOf")
        && let [only] = parts.as_slice()
    {
        *schema = only.clone();
    }
}

fn references(headers: &BTreeSet<&str>) -> Map<String, Value> {
    let reference = |name: &&str| {
        let target = format!("#/components/headers/{name}");
        ((*name).to_owned(), json!({ "$ref": target }))
    };
    headers.iter().map(reference).collect()
}

fn headers() -> Value {
    let header = |description: &str, schema: Value| {
        json!({
            "description": description, "required": true, "schema": schema,
        })
    };
    json!({
        "X-Request-Id": header(
            "The caller's own id of the request, or ours.",
            json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" }),
        ),
        "ETag": header(
            "The version of what is shown, for `If-Match`.",
            json!({ "type": "string", "pattern": "^\"[0-9]+\"$" }),
        ),
        "Location": header(
            "Where the thing is that was made.",
            json!({ "type": "string", "format": "uri-reference" }),
        ),
        "Retry-After": header(
            "Seconds until the next call may come.",
            json!({ "type": "integer", "minimum": 1, "maximum": 86_400 }),
        ),
        "WWW-Authenticate": header(
            "How to name oneself.",
            json!({ "type": "string", "maxLength": 100 }),
        ),
    })
}
