//! docs/ROLES.md says what is declared.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use eventstore::rights::{Kind, Right};

use super::declared;
use crate::fixture::ACCOUNTS;

/// What a role may do with one thing, in words.
fn words(verbs: &BTreeMap<String, BTreeSet<String>>) -> String {
    let said = verbs.iter().map(|(verb, columns)| {
        let columns: Vec<_> = columns.iter().map(|name| format!("`{name}`")).collect();
        match &columns[..] {
            [] => verb.to_lowercase(),
            columns => format!("{} of {}", verb.to_lowercase(), columns.join(", ")),
        }
    });
    said.collect::<Vec<_>>().join("; ")
}

/// The rows of the table of a role: things with the same rights stand together.
fn rows(rights: &BTreeSet<Right>, role: &str) -> Vec<String> {
    let mut things: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for right in rights.iter().filter(|right| right.role == role) {
        let (thing, column) = match right.kind {
            Kind::Schema => continue,
            Kind::Table | Kind::Function => (right.name.as_str(), None),
            Kind::Column => match right.name.rsplit_once('.') {
                Some((table, column)) => (table, Some(column.to_owned())),
                None => continue,
            },
        };
        let verbs = things.entry(thing.to_owned()).or_default();
        verbs.entry(right.verb.clone()).or_default().extend(column);
    }
    let mut alike: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for (thing, verbs) in things {
        let schema = thing.split('.').next().unwrap_or_default().to_owned();
        let same = alike.entry((schema, words(&verbs))).or_default();
        same.push(format!("`{thing}`"));
    }
    alike
        .into_iter()
        .map(|((_, words), things)| format!("| {} | {words} |", things.join(", ")))
        .collect()
}

#[test]
fn the_document_of_roles_lists_what_is_declared() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ROLES.md");
    let document = fs::read_to_string(path).expect("a document");
    let rights = declared();
    for role in ACCOUNTS {
        let rows = rows(&rights, role);
        assert!(rows.len() > 3, "{role}: {rows:?}");
        let table = format!("| on | right |\n|---|---|\n{}\n", rows.join("\n"));
        let heading = format!("### `{role}`\n");
        let section = document.split(&heading).nth(1).unwrap_or_default();
        let section = section.split("\n#").next().unwrap_or_default();
        assert!(
            section.contains(&table),
            "docs/ROLES.md, {heading}must hold\n{table}"
        );
    }
}
