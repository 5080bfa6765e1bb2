//! What generators and their users may rely on of each value: that it is bounded, that a default
//! is one that may be sent, and that a choice of words is one list, of which they make one type.

use serde_json::{Map, Value, json};

/// The longest text in a body: it has no more bytes by default.
pub(super) const SENT_TEXT_MAX: u32 = 65_536;
/// The longest text in an answer that has no bound of its own.
pub(super) const ANSWERED_TEXT_MAX: u32 = 4_096;

/// Whole numbers as schemars names their formats, with their least and greatest values.
const WHOLE: [(&str, i64, i64); 7] = [
    ("int8", i8::MIN as i64, i8::MAX as i64),
    ("int16", i16::MIN as i64, i16::MAX as i64),
    ("int32", i32::MIN as i64, i32::MAX as i64),
    ("int64", i64::MIN, i64::MAX),
    ("uint8", 0, u8::MAX as i64),
    ("uint16", 0, u16::MAX as i64),
    ("uint32", 0, u32::MAX as i64),
];
/// What bounds a text by itself.
const BOUNDING: [&str; 6] = ["maxLength", "pattern", "allOf", "enum", "const", "format"];

/// Bounds every text and number in a schema that says no bound itself, takes away a default that
/// says no more than that the field may be left out, and makes one list of a choice of words.
pub(super) fn complete(schema: &mut Value, text_max: u32) {
    match schema {
        Value::Array(parts) => parts.iter_mut().for_each(|part| complete(part, text_max)),
        Value::Object(members) => {
            list(members);
            bound(members, text_max);
            if members.get("default").is_some_and(Value::is_null) {
                members.remove("default");
            }
            for (name, part) in members {
                if !matches!(name.as_str(), "enum" | "const" | "default" | "examples") {
                    complete(part, text_max);
                }
            }
        }
        _ => {}
    }
}

/// A choice of words that are explained one by one is a list of them, explained together.
fn list(members: &mut Map<String, Value>) {
    let Some(choices) = members.get("oneOf").and_then(Value::as_array) else {
        return;
    };
    let (mut words, mut lines) = (Vec::new(), Vec::new());
    for choice in choices {
        let plain = choice["enum"].as_array().cloned();
        let own = match (choice["type"] == "string", &choice["const"]) {
            (true, Value::Null) => plain.unwrap_or_default(),
            (true, word) => vec![word.clone()],
            (false, _) => Vec::new(),
        };
        if own.is_empty() {
            // Something else than words.
            return;
        }
        if let (Some(about), [word]) = (choice["description"].as_str(), own.as_slice()) {
            lines.push(format!(
                "- `{}`: {about}",
                word.as_str().unwrap_or_default()
            ));
        }
        words.extend(own);
    }
    let about = members.get("description").and_then(Value::as_str);
    let about = [about.unwrap_or_default(), &lines.join("\n")].join("\n\n");
    members.remove("oneOf");
    members.insert("type".to_owned(), json!("string"));
    members.insert("enum".to_owned(), json!(words));
    members.insert("description".to_owned(), json!(about.trim()));
}

fn bound(members: &mut Map<String, Value>, text_max: u32) {
    let kind = members.get("type").cloned().unwrap_or_default();
    let is = |name: &str| match &kind {
        Value::Array(kinds) => kinds.iter().any(|kind| kind == name),
        kind => kind == name,
    };
    if is("string") && !BOUNDING.iter().any(|word| members.contains_key(*word)) {
        members.insert("maxLength".to_owned(), json!(text_max));
    }
    if is("integer") {
        let format = members.get("format").and_then(Value::as_str);
        let whole = WHOLE.iter().find(|whole| Some(whole.0) == format);
        if let Some(&(_, least, greatest)) = whole {
            members.entry("minimum").or_insert_with(|| json!(least));
            members.entry("maximum").or_insert_with(|| json!(greatest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(mut schema: Value) -> Value {
        complete(&mut schema, 7);
        schema
    }

    #[test]
    fn a_text_or_number_without_a_bound_gets_one_and_others_keep_theirs() {
        let text = completed(json!({ "type": ["string", "null"] }));
        assert_eq!(text["maxLength"], 7);
        for bounded in [
            json!({ "type": "string", "pattern": "^a$" }),
            json!({ "type": "string", "maxLength": 3 }),
            json!({ "enum": ["string"] }),
            json!({ "type": "integer", "minimum": 1, "maximum": 2 }),
        ] {
            assert_eq!(completed(bounded.clone()), bounded);
        }
        let inner = json!({ "properties": { "n": { "type": "integer", "format": "int16" } } });
        let n = completed(inner)["properties"]["n"].clone();
        assert_eq!(
            (&n["minimum"], &n["maximum"]),
            (&json!(-32_768), &json!(32_767))
        );
    }

    #[test]
    fn a_choice_of_words_is_one_list() {
        let word = |word: &str, about: &str| json!({ "type": "string", "const": word, "description": about });
        let choice = json!({ "description": "A size.", "oneOf": [word("S", "Small."), word("L", "Large.")] });
        let expected = json!({
            "type": "string", "enum": ["S", "L"],
            "description": "A size.\n\n- `S`: Small.\n- `L`: Large.",
        });
        assert_eq!(completed(choice), expected);
        let other = json!({ "oneOf": [{ "type": "null" }, word("S", "Small.")] });
        assert_eq!(completed(other.clone()), other);
    }

    #[test]
    fn a_default_that_may_not_be_sent_is_none() {
        let left_out = completed(json!({ "$ref": "#/x", "default": null }));
        assert_eq!(left_out, json!({ "$ref": "#/x" }));
        let said = json!({ "type": "boolean", "default": true });
        assert_eq!(completed(said.clone()), said);
    }
}
