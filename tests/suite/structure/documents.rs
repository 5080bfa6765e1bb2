//! The documents name files that exist: whoever follows one must arrive somewhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::CRATES;

/// What is read: everything that is kept true. Decisions (`docs/adr`) stay as they were written.
const DOCUMENTS: [&str; 5] = [
    "README.md",
    "CONTRIBUTING.md",
    "docs",
    "docs/guides",
    "docs/runbooks",
];
/// How the names of files end that are looked for.
const ENDINGS: [&str; 6] = [".rs", ".sql", ".md", ".toml", ".conf", ".json"];
/// What the guides call the capability, the event and the table that are to be added.
const INVENTED: [&str; 3] = ["things", "ThingOpened", "table_name"];

#[test]
fn documents_name_files_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut missing = Vec::new();
    for document in documents(&root) {
        let text = fs::read_to_string(&document).expect("a document");
        for name in named(&text) {
            let beside = document.parent().expect("a folder");
            if !exists(&root, beside, name) {
                missing.push(format!("{}: {name}", document.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn a_name_of_a_file_is_found_in_prose_and_in_links() {
    let text = "See `actors/src/lib.rs`, [this](guides/api.md#there) and `x/*.sql`, not `a.rs` \
        nor https://example.com/b.json, `actors/src/things.rs` or `schema/golden/<Name>/v1.json`.";
    let found: Vec<_> = named(text).collect();
    assert_eq!(found, ["actors/src/lib.rs", "guides/api.md"]);
}

fn documents(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for place in DOCUMENTS {
        let path = root.join(place);
        if path.is_file() {
            found.push(path);
            continue;
        }
        for entry in fs::read_dir(path).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// The names of files with their folders; patterns, addresses and invented names are left out.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || "`()[]|,;\"#".contains(c));
    words.filter(|word| {
        let ends = ENDINGS.iter().any(|ending| word.ends_with(ending));
        let plain = word.contains('/') && !word.contains(['*', '<', '…', '{', ':', '$', '~']);
        let invented = INVENTED.iter().any(|name| word.contains(name));
        ends && plain && !invented && !word.starts_with('/')
    })
}

/// Whether there is such a file, named from the root, from the document, or from the sources of
/// one of our crates.
fn exists(root: &Path, beside: &Path, name: &str) -> bool {
    let of_crates = CRATES.iter().flat_map(|name| {
        let folder = root.join(name);
        [folder.join("src"), folder]
    });
    let mut folders = [root.to_path_buf(), beside.to_path_buf()]
        .into_iter()
        .chain(of_crates);
    folders.any(|folder| folder.join(name).exists())
}
