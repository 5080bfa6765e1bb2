//! What generators of clients rely on in the document of all endpoints (ADR 0044).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::document;

/// Every schema of the document, with its place: those with names, and those that stand where they
/// are used. What is answered as a text is one stream, and no schema of a value.
fn schemas(part: &Value, place: &str, see: &mut impl FnMut(&str, &Value)) {
    match part {
        Value::Object(members) => {
            if ["type", "anyOf", "$ref", "default"]
                .iter()
                .any(|word| members.contains_key(*word))
            {
                see(place, part);
            }
            for (name, member) in members {
                if !matches!(name.as_str(), "example" | "examples" | "text/csv") {
                    schemas(member, &format!("{place}/{name}"), see);
                }
            }
        }
        Value::Array(parts) => {
            for part in parts {
                schemas(part, place, see);
            }
        }
        _ => {}
    }
}

/// Whether the schema, which may refer to others of the document, allows the value.
fn allows(document: &Value, schema: &Value, value: &Value) -> bool {
    let whole = json!({ "allOf": [schema], "components": document["components"] });
    jsonschema::is_valid(&whole, value)
}

/// Every operation with its name.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let paths = document["paths"].as_object().expect("paths").values();
    let operations = paths.flat_map(|path| path.as_object().expect("methods").values());
    operations.map(|operation| {
        let name = operation["operationId"].as_str();
        (name.expect("a name"), operation)
    })
}

#[test]
fn every_text_and_number_is_bounded() {
    let mut unbounded = Vec::new();
    schemas(&document(), "", &mut |place, schema| {
        let is = |kind: &str| {
            schema["type"] == kind || {
                let kinds = schema["type"].as_array();
                kinds.is_some_and(|kinds| kinds.iter().any(|one| one == kind))
            }
        };
        let says = |words: &[&str]| words.iter().any(|word| schema.get(*word).is_some());
        let of_text = ["maxLength", "pattern", "allOf", "enum", "const", "format"];
        let of_number = schema.get("minimum").is_some() && schema.get("maximum").is_some();
        let number = is("integer") || is("number");
        if is("string") && !says(&of_text) || number && !of_number && !says(&["enum", "const"]) {
            unbounded.push(place.to_owned());
        }
    });
    assert_eq!(unbounded, [] as [String; 0]);
}

#[test]
fn every_default_is_a_value_that_may_be_sent() {
    let document = document();
    let mut defaults = 0;
    schemas(&document, "", &mut |place, schema| {
        if let Some(default) = schema.get("default") {
            defaults += 1;
            assert!(allows(&document, schema, default), "{place}: {default}");
        }
    });
    assert!(defaults >= 9, "only {defaults} are found");
}

#[test]
fn every_json_body_has_an_example_that_fits_it() {
    let document = document();
    for (name, operation) in operations(&document) {
        let responses = operation["responses"]
            .as_object()
            .expect("responses")
            .values();
        let bodies = responses.chain(operation.get("requestBody"));
        for content in bodies.filter_map(|body| body.get("content")) {
            for kind in ["application/json", "application/problem+json"] {
                let Some(content) = content.get(kind) else {
                    continue;
                };
                let example = content.get("example");
                let example = example.unwrap_or_else(|| panic!("{name} has none: {content}"));
                assert!(
                    allows(&document, &content["schema"], example),
                    "{name}: {example}"
                );
            }
        }
    }
}

#[test]
fn every_problem_is_the_one_with_a_name() {
    let document = document();
    let problem = json!({ "$ref": "#/components/schemas/Problem" });
    for (name, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().expect("responses") {
            let content = &response["content"]["application/problem+json"];
            assert!(
                status.as_str() < "400" || content["schema"] == problem,
                "{name} {status}"
            );
        }
    }
    let code = &document["components"]["schemas"]["Problem"]["properties"]["code"]["$ref"];
    assert_eq!(code, "#/components/schemas/ProblemCode");
}

#[test]
fn every_operation_belongs_to_a_tag_that_is_explained_and_says_how_to_name_oneself() {
    let document = document();
    let tags = document["tags"].as_array().expect("tags").iter();
    let tags: BTreeSet<_> = tags
        .filter(|tag| {
            tag["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        })
        .map(|tag| tag["name"].as_str().expect("a name"))
        .collect();
    let [token, key] = [json!({ "token": [] }), json!({ "apiKey": [] })];
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for operation in methods.as_object().expect("methods").values() {
            let [tag] = operation["tags"].as_array().expect("tags").as_slice() else {
                panic!("{path} has other than one");
            };
            assert!(
                tags.contains(tag.as_str().expect("a name")),
                "{path}: {tag}"
            );
            let of_customers = path.starts_with("/v1/billing/");
            let due = if of_customers {
                json!([token, key])
            } else {
                json!([token])
            };
            assert_eq!(operation["security"], due, "{path}");
        }
    }
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(
        (&schemes["token"]["scheme"], &schemes["apiKey"]["in"]),
        (&json!("bearer"), &json!("header"))
    );
}
