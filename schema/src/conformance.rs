//! Holds readers to their schemas: what a published schema accepts is taken, what it refuses is
//! refused. For tests only, of every crate that reads something a schema describes.
//!
//! Texts are drawn from the schema itself, from fixed seeds. Most of them keep to it; some are
//! wrong in a place or two, and some are written in ways that are rare and right. What is right
//! the schema decides, by a validator and a parser that the readers do not use.

use std::collections::HashMap;

use jsonschema::Validator;
use serde_json::{Map, Value};

/// How many texts are drawn for one reader.
const DRAWN: usize = 4_000;
/// One value in so many is not drawn from its schema.
const ODD: usize = 24;
/// How often a text is drawn until one keeps to its schema.
const TRIES: usize = 64;

const TEXTS: [&str; 50] = [
    "",
    " ",
    "\n",
    "a",
    "A-17 ~",
    "DELIVRD",
    "deliv_rd",
    "x y",
    "1.0",
    "E:0.1-a",
    "é",
    "\u{202e}abc",
    "a\0b",
    "tab\t",
    "two\nlines",
    "ring\u{7}",
    "\u{85}\u{a0}",
    "Ada Lovelace",
    "GALACTIC",
    "EUR",
    "6f1d2b7e-0000-4000-8000-000000000001",
    "6F1D2B7E-0000-4000-8000-00000000000A",
    "018f6a34-3c1e-7a9c-9b3e-1f2a3b4c5d6e",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "00000000-0000-0000-0000-000000000000",
    "6f1d2b7e000040008000000000000001",
    "{6f1d2b7e-0000-4000-8000-000000000001}",
    "urn:uuid:6f1d2b7e-0000-4000-8000-000000000001",
    "2026-03-01T12:00:00Z",
    "2026-03-01t12:00:00z",
    "2026-03-01T12:00:00.123456789012Z",
    "2026-03-01T02:00:00.5+02:00",
    "2026-03-01T12:00:00-00:00",
    "2026-03-01T12:00:00+24:00",
    "2026-03-01 12:00:00Z",
    "2026-03-01T12:00:00",
    "2026-02-30T12:00:00Z",
    "2016-12-31T23:59:60Z",
    "2017-01-01T00:59:60+01:00",
    "2026-03-01T12:00:60Z",
    "0000-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2026-03-01",
    "0",
    "0.045",
    "00012.3400000000",
    "99999.999999",
    "100000",
    "-0",
    "1e3",
];
const LENGTHS: [usize; 10] = [31, 32, 33, 63, 64, 65, 200, 201, 1_000, 1_001];
const ODDS: [&str; 14] = [
    "null",
    "true",
    "7",
    "-1",
    "0.5",
    "2.0",
    "1e2",
    "[]",
    "{}",
    "[1]",
    "{\"a\":null}",
    "\"\"",
    "\"x\"",
    "18446744073709551615",
];
/// Ways to write a whole number; the last one adds a half.
const NOTATIONS: [fn(i64) -> String; 6] = [
    |number| format!("{number}"),
    |number| format!("{number}.0"),
    |number| format!("{number}.00"),
    |number| format!("{number}e0"),
    |number| format!("{number}.000E-0"),
    |number| format!("{number}.5"),
];

/// Compares the verdicts of `schema` and of a reader, which says whether it takes a text.
///
/// # Panics
/// They disagree about a text, or too few texts were right or wrong to tell anything.
pub fn reader_keeps_to(schema: &Value, takes: impl Fn(&[u8]) -> bool) {
    let validator = validator(schema);
    let mut draw = Draw {
        root: schema,
        seed: 1,
        validators: HashMap::new(),
    };
    let mut right = 0;
    for _ in 0..DRAWN {
        let text = draw.value(schema);
        let value: Value = serde_json::from_str(&text).expect("what is drawn is JSON");
        let accepts = validator.is_valid(&value);
        assert_eq!(
            takes(text.as_bytes()),
            accepts,
            "the schema says {accepts}: {text}"
        );
        right += usize::from(accepts);
    }
    let some = DRAWN / 20;
    assert!(
        (some..DRAWN - some).contains(&right),
        "{right} of {DRAWN} are right"
    );
}

fn validator(schema: &Value) -> Validator {
    let options = jsonschema::options().should_validate_formats(true);
    options.build(schema).expect("a schema")
}

/// Draws JSON texts.
struct Draw<'a> {
    root: &'a Value,
    seed: u64,
    validators: HashMap<String, Validator>,
}

impl<'a> Draw<'a> {
    /// A number below `below`.
    fn next(&mut self, below: usize) -> usize {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.seed >> 33).unwrap_or_default() % below.max(1)
    }

    fn one_of<'b, T>(&mut self, all: &'b [T]) -> &'b T {
        &all[self.next(all.len())]
    }

    fn value(&mut self, schema: &'a Value) -> String {
        let Some(schema) = schema.as_object().filter(|_| self.next(ODD) > 0) else {
            return self.odd();
        };
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let pointer = reference.trim_start_matches('#');
            return self.value(self.root.pointer(pointer).expect("what is referred to"));
        }
        if schema.contains_key("properties") {
            return self.object(schema);
        }
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            return self.one_of(words).to_string();
        }
        if let Some(word) = schema.get("const") {
            return word.to_string();
        }
        if let Some(Value::Array(options)) = schema.get("anyOf").or(schema.get("oneOf")) {
            let option = self.one_of(options);
            return self.value(option);
        }
        let kind = match schema.get("type") {
            Some(Value::Array(kinds)) => self.one_of(kinds),
            Some(kind) => kind,
            None => return self.odd(),
        };
        match kind.as_str() {
            Some("string") => self.string(schema),
            Some("integer") => self.integer(schema),
            Some("array") => self.array(schema),
            Some("object") => format!("{{\"a\":{},\"b\":[{}]}}", self.odd(), self.odd()),
            Some("boolean") => "true".to_owned(),
            _ => "null".to_owned(),
        }
    }

    /// Something that no schema had a say in.
    fn odd(&mut self) -> String {
        match self.next(2) {
            0 => (*self.one_of(&ODDS)).to_owned(),
            _ => Value::from(self.any_text()).to_string(),
        }
    }

    fn any_text(&mut self) -> String {
        if self.next(4) > 0 {
            return (*self.one_of(&TEXTS)).to_owned();
        }
        let letter = *self.one_of(&["9", "é"]);
        let length = *self.one_of(&LENGTHS);
        letter.repeat(length)
    }

    fn string(&mut self, schema: &Map<String, Value>) -> String {
        let schema = Value::Object(schema.clone());
        let name = schema.to_string();
        self.validators
            .entry(name.clone())
            .or_insert_with(|| validator(&schema));
        let mut text = Value::Null;
        for _ in 0..TRIES {
            text = self.any_text().into();
            if self.validators[&name].is_valid(&text) {
                break;
            }
        }
        text.to_string()
    }

    fn integer(&mut self, schema: &Map<String, Value>) -> String {
        let bound = |name, or| schema.get(name).and_then(Value::as_i64).unwrap_or(or);
        let (least, most) = (bound("minimum", -2), bound("maximum", 1_000));
        let span = usize::try_from(most - least + 3).unwrap_or(usize::MAX);
        let number = least - 1 + i64::try_from(self.next(span)).unwrap_or_default();
        self.one_of(&NOTATIONS)(number)
    }

    fn array(&mut self, schema: &'a Map<String, Value>) -> String {
        let items = schema.get("items").unwrap_or(&Value::Null);
        let items: Vec<_> = (0..self.next(4)).map(|_| self.value(items)).collect();
        format!("[{}]", items.join(","))
    }

    /// Properties that hold only under a condition are drawn, too, whether it is met or not.
    fn object(&mut self, schema: &'a Map<String, Value>) -> String {
        let required = schema.get("required").and_then(Value::as_array);
        let conditional = schema
            .get("else")
            .and_then(|branch| branch.get("properties"));
        let mut members = Vec::new();
        for properties in [schema.get("properties"), conditional] {
            for (name, property) in properties.and_then(Value::as_object).into_iter().flatten() {
                let needed = required.is_some_and(|all| all.iter().any(|one| one == name));
                let drawn = if needed {
                    self.next(ODD) > 0
                } else {
                    self.next(2) > 0
                };
                if drawn {
                    members.push(format!("\"{name}\":{}", self.value(property)));
                }
            }
        }
        if self.next(ODD) == 0 {
            members.push(format!("\"x-unheardOf\":{}", self.odd()));
        }
        format!("{{{}}}", members.join(","))
    }
}
