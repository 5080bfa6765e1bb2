//! An example of each body, made from its schema: readers see a call that would be well-formed, and
//! tools have something to try.

use serde_json::{Map, Value, json};

/// How deep a schema may nest before no example is made of it.
const DEPTH_MAX: usize = 16;
/// Ids, times and days in examples.
const ID: &str = "6f1d2b7e-0c4a-4b1e-9d53-2a7f10c8e001";
const TIME: &str = "2026-03-01T12:00:00Z";
const END: &str = "2026-04-01T00:00:00Z";
/// What texts of a pattern may look like; the first that fits is the example.
const PATTERNED: [&str; 15] = [
    "0.045",
    "19.00",
    "EUR",
    "2026-03-01",
    "DE",
    "DE123456789",
    "en",
    "urn:tollbook:problem:not_found",
    "\"42\"",
    "-0.015000",
    "2026-03",
    "spring-list-1",
    "+49301234567",
    "10115",
    "https://example.com",
];
/// What fields may hold, by the end of their name.
const WORDS: [(&str, &str); 12] = [
    ("currency", "EUR"),
    ("tier", "GROWTH"),
    ("differs", "segmentCount"),
    ("name", "Example GmbH"),
    ("address", "Beispielweg 1, 10115 Berlin"),
    ("reason", "agreed by telephone on 3 March"),
    (
        "createdby",
        "token 6f1d2b7e-0c4a-4b1e-9d53-2a7f10c8e001 https://identity.example finance",
    ),
    ("title", "Not found"),
    ("detail", "this field is needed"),
    ("field", "/unitPrice"),
    ("cursor", "AAAAAAAAAAd4o0Z5cXJzdA"),
    ("period", "2026-03-01"),
];

/// The schemas that others refer to.
pub(super) struct Examples<'a>(pub(super) &'a Map<String, Value>);

impl Examples<'_> {
    /// An example of `schema`, if one can be made that fits it.
    pub(super) fn of(&self, schema: &Value) -> Option<Value> {
        let example = self.made("", schema, 0)?;
        self.fits(schema, &example).then_some(example)
    }

    /// Whether a value is one that the schema allows.
    fn fits(&self, schema: &Value, value: &Value) -> bool {
        let whole = json!({ "allOf": [schema], "components": { "schemas": self.0 } });
        jsonschema::is_valid(&whole, value)
    }

    /// A value for the field of this name.
    fn made(&self, field: &str, schema: &Value, depth: usize) -> Option<Value> {
        if depth > DEPTH_MAX {
            return None;
        }
        let deeper = |schema: &Value| self.made(field, schema, depth + 1);
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next()?;
            return deeper(self.0.get(name)?);
        }
        let usual = json!(usual(field));
        for said in [&schema["examples"][0], &schema["const"], &schema["enum"][0]] {
            if !said.is_null() {
                let usual = Some(usual).filter(|usual| self.fits(schema, usual));
                return Some(usual.unwrap_or_else(|| said.clone()));
            }
        }
        for choice in ["anyOf", "oneOf"] {
            if let (Some(parts), None) = (schema[choice].as_array(), schema.get("type")) {
                let mut parts = parts.iter().filter(|part| part["type"] != "null");
                return parts.find_map(deeper);
            }
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null")?,
            kind => kind,
        };
        match kind.as_str() {
            Some("object") => self.object(schema, depth),
            Some("array") => Some(json!([deeper(&schema["items"])?])),
            Some("string") => self.text(field, schema),
            Some("integer" | "number") => Some(number(schema)),
            Some("boolean") => Some(json!(true)),
            _ => None,
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Option<Value> {
        let mut made = Map::new();
        let parts = schema["allOf"].as_array().into_iter().flatten();
        for part in parts {
            let part = self.made("", part, depth + 1)?;
            made.extend(part.as_object().cloned().unwrap_or_default());
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            made.insert(name.clone(), self.made(name, field, depth + 1)?);
        }
        Some(Value::Object(made))
    }

    fn text(&self, field: &str, schema: &Value) -> Option<Value> {
        let ends = field == "to" || field.ends_with("To");
        let by_format = match schema["format"].as_str() {
            Some("uuid") => Some(ID),
            Some("date-time") => Some(if ends { END } else { TIME }),
            Some("date") => Some(if ends { "2026-03-31" } else { "2026-03-01" }),
            Some("uri" | "uri-reference") => Some("https://example.com"),
            _ => None,
        };
        // Several patterns stand side by side.
        let patterned = schema["pattern"].is_string() || schema["allOf"].is_array();
        let patterned = PATTERNED.iter().copied().filter(|_| patterned);
        let mut found = by_format
            .into_iter()
            .chain(usual(field))
            .chain(patterned)
            .chain(["text"])
            .map(|text| json!(text));
        found.find(|text| self.fits(schema, text))
    }
}

/// What a field of this name holds, where it may.
fn usual(field: &str) -> Option<&'static str> {
    let field = field.to_lowercase();
    let word = WORDS.iter().find(|(end, _)| field.ends_with(end));
    word.map(|(_, word)| *word)
}

fn number(schema: &Value) -> Value {
    let least = schema["minimum"].as_i64().unwrap_or(0);
    let greatest = schema["maximum"].as_i64().unwrap_or(i64::MAX);
    json!(2.clamp(least, greatest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_fits_its_schema_and_what_fits_none_has_none() {
        let schemas = json!({
            "Price": { "type": "string", "pattern": r"^[0-9]\.[0-9]+$" },
            "Thing": {
                "type": "object", "additionalProperties": false, "required": ["price"],
                "properties": {
                    "price": { "$ref": "#/components/schemas/Price" },
                    "billingName": { "type": ["string", "null"], "maxLength": 20 },
                    "since": { "anyOf": [{ "type": "string", "format": "date-time" }, { "type": "null" }] },
                    "count": { "type": "integer", "minimum": 5, "maximum": 9 },
                },
            },
        });
        let schemas = schemas.as_object().expect("an object");
        let made = Examples(schemas).of(&json!({ "$ref": "#/components/schemas/Thing" }));
        let expected = json!({
            "price": "0.045", "billingName": "Example GmbH", "since": TIME, "count": 5,
        });
        assert_eq!(made, Some(expected));
        let nobody = json!({ "type": "string", "pattern": "^no such example$" });
        assert_eq!(Examples(schemas).of(&nobody), None);
    }
}
