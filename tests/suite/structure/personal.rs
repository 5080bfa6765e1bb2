//! Who looks into the wrappers of what nobody may see: each file by name, with its reason.

use std::{collections::BTreeSet, fs, path::Path};

use super::{CRATES, files};

/// Files that take personal data out of its wrapper.
const PERSONAL: [(&str, &str); 11] = [
    ("schema/src/personal.rs", "the wrapper itself"),
    (
        "schema/src/address.rs",
        "writes an address as the one text that is sealed, and reads it again",
    ),
    (
        "schema/src/published.rs",
        "writes `to` and metadata of `webhook.dispatch`",
    ),
    ("eventstore/src/seal.rs", "seals"),
    (
        "actors/src/receipts/decide/orphan.rs",
        "keeps the beginning of an orphan's payload",
    ),
    (
        "projections/src/receipts/publishers/webhook_dispatch.rs",
        "reads metadata as the object it is, for the webhook",
    ),
    (
        "api/src/rest/accounts/body.rs",
        "checks that a name can be printed, before it is sealed",
    ),
    (
        "api/src/rest/accounts/row.rs",
        "answers with an account's name to who may see it",
    ),
    (
        "api/src/rest/adjustments/reason.rs",
        "checks that a reason can be printed, before it is sealed",
    ),
    (
        "api/src/rest/sealed.rs",
        "answers with what was sealed to who may see it",
    ),
    (
        "api/src/role/reveal.rs",
        "shows a person what they asked for, once that is recorded",
    ),
];

/// Files that take a secret out of its wrapper.
const SECRET: [(&str, &str); 6] = [
    ("eventstore/src/secret.rs", "the wrapper itself"),
    (
        "eventstore/src/postgres/connector.rs",
        "connects to Postgres",
    ),
    ("api/src/nats.rs", "connects to NATS"),
    ("api/src/telemetry/otlp.rs", "sends a token with an export"),
    ("api/src/settings/identity.rs", "makes a key of it"),
    ("api/src/config/secret.rs", "refuses an empty one"),
];

/// What a file says outside of its tests.
fn outside_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text)
}

/// Whether it takes something out of a wrapper, by a call or by naming the function.
fn opens(text: &str) -> bool {
    let code = outside_tests(text).lines();
    let mut code = code.filter(|line| !line.trim_start().starts_with("//"));
    code.any(|line| {
        line.match_indices("expose").any(|(at, word)| {
            let before = line[..at].chars().next_back();
            let after = line[at + word.len()..].chars().next();
            let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
            !before.is_some_and(part_of_name) && !after.is_some_and(part_of_name)
        })
    })
}

#[test]
fn only_files_with_a_reason_look_into_what_is_personal_or_secret() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = BTreeSet::new();
    for name in CRATES.iter().filter(|name| **name != "tests") {
        for file in files(&root.join(name).join("src")) {
            if opens(&fs::read_to_string(&file).expect("a source file")) {
                let path = file.strip_prefix(&root).expect("below the root");
                found.insert(path.display().to_string());
            }
        }
    }
    let known = PERSONAL.iter().chain(&SECRET);
    let known: BTreeSet<_> = known.map(|(path, _)| (*path).to_owned()).collect();
    let unknown: Vec<_> = found.difference(&known).collect();
    assert!(unknown.is_empty(), "say why, or do without: {unknown:?}");
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(gone.is_empty(), "take off the list: {gone:?}");
}

#[test]
fn a_look_into_a_wrapper_is_found_however_it_is_written() {
    for text in [
        "format!(\"{}\", number.expose())",
        "numbers.iter().map(Personal::expose)",
        "number\n    .expose()\n",
    ] {
        assert!(opens(text), "{text}");
    }
    for text in [
        "// number.expose()",
        "fn exposed() {}",
        "#[cfg(test)]\nmod tests {\n    number.expose();\n}",
    ] {
        assert!(!opens(text), "{text}");
    }
}
