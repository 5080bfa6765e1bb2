//! The SQL files of the services. A name in an error or a metric leads to one file, and a file says
//! what it does before it does it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Whose statements run in a service.
const CRATES: [&str; 4] = ["eventstore", "actors", "projections", "api"];

/// Every file below the sources of `crates` that ends in `ending`, with its text.
fn files(crates: &[&str], ending: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<PathBuf> = crates
        .iter()
        .map(|name| root.join(name).join("src"))
        .collect();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == ending) {
                let text = fs::read_to_string(&path).expect("a text");
                files.push((path, text));
            }
        }
    }
    files
}

/// The name on line 1, if lines 1 and 2 are as they must be.
fn name(text: &str) -> Option<&str> {
    let mut lines = text.lines();
    let (name, meaning) = lines.next()?.strip_prefix("-- ")?.split_once(": ")?;
    let plain = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let second = lines.next()?.strip_prefix("-- ")?;
    let told = !meaning.is_empty() && !second.is_empty();
    (told && name.chars().all(plain)).then_some(name)
}

#[test]
fn a_statement_says_its_name_and_its_meaning_and_no_two_have_one_name() {
    let mut known = BTreeMap::new();
    for (path, text) in files(&CRATES, "sql") {
        let name =
            name(&text).unwrap_or_else(|| panic!("{} has no two head lines", path.display()));
        if let Some(other) = known.insert(name.to_owned(), path.clone()) {
            panic!("{name} is {} and {}", other.display(), path.display());
        }
    }
    assert!(known.contains_key("append_events"), "statements were found");
}

#[test]
fn a_head_without_a_name_a_meaning_or_a_second_line_is_found() {
    assert_eq!(
        name("-- find_it: what is sought\n-- $1 which.\n"),
        Some("find_it")
    );
    for wrong in [
        "select 1",
        "-- find_it\n-- $1 which.\n",
        "-- Find it: what is sought\n-- $1 which.\n",
        "-- find_it: what is sought\nselect 1",
    ] {
        assert_eq!(name(wrong), None);
    }
}

/// The schemas whose tables are written by our projections or hold the log.
const OURS: [&str; 3] = ["dlr", "billing", "eventlog"];

#[test]
fn actors_name_no_table_of_ours() {
    let files = files(&["actors"], "sql");
    assert!(
        !files.is_empty(),
        "they look up the orchestrator's messages"
    );
    for (path, text) in files {
        for schema in OURS {
            let named = text.contains(&format!("{schema}."));
            assert!(!named, "{} names the schema {schema}", path.display());
        }
    }
}

#[test]
fn no_statement_stands_in_rust() {
    for (path, text) in files(&CRATES, "rs") {
        for word in ["select", "insert", "update", "delete"] {
            let begins = format!("\"{word} ");
            let found = text.to_lowercase().contains(&begins);
            assert!(!found, "{} begins a text with {word}", path.display());
        }
    }
}

/// Tables of ours that hold a tenant's rows.
const OF_TENANTS: [&str; 11] = [
    "billing.adjustments",
    "billing.billing_events",
    "billing.cost_assessments",
    "billing.usage_summaries",
    "billing.usage_days",
    "billing.pricing_tables",
    "billing.accounts",
    "billing.account_versions",
    "billing.held_charges",
    "billing.access_log",
    "dlr.delivery_receipts",
];

/// Statements that ask for rows of whatever tenant, or change rows by their own ids, and who may.
const OF_WHATEVER_TENANT: [(&str, &str); 26] = [
    (
        "find_assessments_of_a_charge",
        "the platform asks why, and that is recorded",
    ),
    ("sum_margins", "finance adds up all tenants"),
    ("sum_margins_by_tier", "finance adds up all tenants"),
    (
        "find_held_charge",
        "the platform asks why, and that is recorded",
    ),
    ("decide_adjustments", "a projection decides them by id"),
    ("find_adjustment", "whose it is, is asked of the row"),
    (
        "list_adjustments",
        "the platform's administrators; narrowed if they say so",
    ),
    (
        "assess_billing_events",
        "a projection shows by position what charges cost",
    ),
    (
        "read_cost_changes_pending",
        "whether a change concerns anybody's charge",
    ),
    (
        "read_charges_of_a_carrier",
        "costs are assessed again, whoever's message it was",
    ),
    ("close_pricing_tables", "a projection ends versions by id"),
    ("resolve_held_charges", "a projection notes by message"),
    (
        "sum_held_charges",
        "a gauge of all; narrowed if administrators say so",
    ),
    (
        "read_held_news",
        "whether anything has changed for the same search",
    ),
    ("find_owner_of_account", "whose it is, is asked of the row"),
    ("find_account_in_effect", "whose it is, is asked of the row"),
    ("find_account_version", "the platform's administrators"),
    ("list_account_versions", "the platform's administrators"),
    (
        "replace_account_versions",
        "a projection notes by account, which is of one tenant for good",
    ),
    (
        "find_tenant_of_account",
        "the platform's look at any account",
    ),
    ("find_pricing_table", "the platform's administrators"),
    (
        "find_pricing_table_by_request",
        "the platform's administrators",
    ),
    (
        "list_pricing_tables",
        "the platform's administrators; narrowed if they say so",
    ),
    (
        "list_held_charges",
        "the platform's administrators; narrowed if they say so",
    ),
    (
        "list_ratable_charges",
        "the search for charges that can be rated",
    ),
    (
        "sum_statement_day",
        "a carrier's statement is about messages of all tenants",
    ),
];

/// Whether a statement on a tenant's rows names whose it means, where rows are chosen or made.
fn names_the_tenant(text: &str) -> bool {
    let code: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with("--"))
        .collect();
    let code = code.join(" ").to_lowercase();
    let of_tenants = OF_TENANTS.iter().any(|table| {
        ["from ", "join ", "into ", "update "].iter().any(|verb| {
            let named = format!("{verb}{table}");
            let after = code.split(&named).nth(1);
            after.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
        })
    });
    let chosen = code
        .split(" where ")
        .skip(1)
        .any(|chosen| chosen.contains("tenant"));
    let made = code.contains("insert into") && code.contains("tenant_id");
    !of_tenants || chosen || made
}

#[test]
fn a_statement_on_rows_of_tenants_names_the_tenant_or_stands_among_those_that_need_not() {
    let (mut checked, mut without) = (0, Vec::new());
    for (path, text) in files(&CRATES, "sql") {
        let name = name(&text).unwrap_or_default();
        checked += usize::from(OF_TENANTS.iter().any(|table| text.contains(table)));
        if !names_the_tenant(&text) && !OF_WHATEVER_TENANT.iter().any(|(known, _)| *known == name) {
            without.push(path.display().to_string());
        }
    }
    assert!(checked > 10, "statements were found");
    assert_eq!(without, [] as [String; 0]);
    let planted = "-- x: y\n-- z\nselect 1 from billing.usage_days u where u.account_id = $1";
    assert!(!names_the_tenant(planted));
    assert!(names_the_tenant(&format!("{planted} and u.tenant_id = $2")));
}
