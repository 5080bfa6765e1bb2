//! The document of the API, as it is committed.

use std::{fs, path::Path};

use serde_json::Value;

/// A changed API is a visible diff: `tollbook schema --write schema/json` makes it.
#[test]
fn the_committed_document_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/json/openapi.json");
    let committed = fs::read_to_string(path).unwrap_or_default();
    let committed: Value = serde_json::from_str(&committed).unwrap_or_default();
    assert!(
        committed == super::document(),
        "openapi.json: run `tollbook schema --write schema/json`"
    );
}
