//! `docs/SECURITY.md` answers every demand, and names tests that exist.

use std::{collections::BTreeSet, fs, path::Path};

use syn::{Item, ItemFn, ItemMod};

use super::{CRATES, Module, module};

/// What a row says instead of naming a test.
const WITHOUT: [&str; 2] = ["Not built yet: ", "Not provable here: "];

#[test]
fn every_demand_is_answered_by_tests_that_exist_or_says_why_not() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let text = fs::read_to_string(root.join("docs/SECURITY.md")).expect("the document");
    let tests = tests(&root);
    assert!(tests.len() > 500, "the tests were read: {}", tests.len());
    let mut answered = Vec::new();
    let mut wrong = Vec::new();
    for row in text.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let (first, last) = (cells[0].trim_start_matches("| "), cells[cells.len() - 1]);
        let named: Vec<&str> = last.split('`').filter(|name| name.contains("::")).collect();
        let missing = named.iter().filter(|name| !tests.contains(**name));
        wrong.extend(missing.map(|name| format!("{first}: there is no test {name}")));
        if !is_demand(first) {
            continue;
        }
        answered.push(first.to_owned());
        if named.is_empty() && !WITHOUT.iter().any(|why| last.contains(why)) {
            wrong.push(format!("{first}: no test, and no word why"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let receipts = (1..=19).map(|number| format!("R{number}"));
    let billing = (1..=23).map(|number| format!("B{number}"));
    let demands: Vec<String> = receipts.chain(billing).collect();
    assert_eq!(answered, demands, "each demand once, in order");
}

#[test]
fn a_test_is_known_by_where_it_stands() {
    let source = "mod tests { #[test] fn held() {} fn helper() {} }
        #[tokio::test] async fn waited() {}";
    let mut found = BTreeSet::new();
    let file = syn::parse_file(source).expect("parses");
    collect(&vec!["api".to_owned()], &file.items, &mut found);
    let expected = ["api::tests::held", "api::waited"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(expected));
}

fn is_demand(cell: &str) -> bool {
    let number = cell.strip_prefix(['R', 'B']);
    number.is_some_and(|number| number.parse::<u8>().is_ok())
}

/// Every test there is: those of the suite by their path in it, those of a crate by the crate's.
fn tests(root: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for name in CRATES {
        let prefix = vec![name.to_owned()];
        read(&root.join(name).join("src"), &prefix, &mut found);
    }
    read(&root.join("tests/suite"), &Vec::new(), &mut found);
    found
}

fn read(src: &Path, prefix: &Module, found: &mut BTreeSet<String>) {
    let mut folders = vec![src.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source");
                let parsed = syn::parse_file(&text).expect("rust");
                let at = [&prefix[..], &module(src, &path)].concat();
                collect(&at, &parsed.items, found);
            }
        }
    }
}

fn collect(at: &Module, items: &[Item], found: &mut BTreeSet<String>) {
    for item in items {
        match item {
            Item::Fn(function) if is_test(function) => {
                found.insert(format!("{}::{}", at.join("::"), function.sig.ident));
            }
            Item::Mod(ItemMod {
                ident,
                content: Some((_, items)),
                ..
            }) => collect(&[&at[..], &[ident.to_string()]].concat(), items, found),
            _ => {}
        }
    }
}

fn is_test(function: &ItemFn) -> bool {
    function.attrs.iter().any(|attribute| {
        let last = attribute.path().segments.last();
        last.is_some_and(|last| last.ident == "test")
    })
}
