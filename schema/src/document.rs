//! The JSON Schemas of everything that is stored or sent, as they are committed in `schema/json/`.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::Value;

use crate::{
    erasure::InboundErasure,
    event::{Event, Sealed},
    published::{BillingEvent, UnmatchedReceipt, WebhookDispatch},
    receipt::InboundReceipt,
    settlement::InboundSettlement,
};

/// A generated JSON Schema and the file it is committed as.
#[derive(Debug, Clone)]
pub struct Document {
    /// The file name in `schema/json/`.
    pub file: &'static str,
    /// JSON Schema, draft 2020-12.
    pub schema: Value,
}

/// All of them: subjects by their name, events by type and version, in the order of their list.
#[must_use]
pub fn all() -> Vec<Document> {
    let mut all = vec![
        document::<InboundReceipt>("sms.dlr.inbound.json"),
        document::<BillingEvent>("billing.events.json"),
        document::<InboundSettlement>("billing.events.read.json"),
        document::<WebhookDispatch>("webhook.dispatch.json"),
        document::<UnmatchedReceipt>("sms.dlr.unmatched.json"),
        document::<InboundErasure>("tenant.erased.json"),
    ];
    all.extend(Event::SCHEMAS.iter().map(|(file, of)| generated(file, of)));
    all.push(document::<Sealed>("event.sealed.json"));
    all
}

fn document<T: JsonSchema>(file: &'static str) -> Document {
    generated(file, SchemaGenerator::into_root_schema_for::<T>)
}

fn generated(file: &'static str, of: impl Fn(SchemaGenerator) -> Schema) -> Document {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let schema = of(generator).to_value();
    Document { file, schema }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// A changed shape is a visible diff: `tollbook schema --write schema/json` makes it.
    #[test]
    fn the_committed_schemas_are_the_generated_ones() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("json");
        for Document { file, schema } in all() {
            let committed = fs::read_to_string(folder.join(file)).unwrap_or_default();
            let committed: Value = serde_json::from_str(&committed).unwrap_or_default();
            assert_eq!(
                committed, schema,
                "{file}: run `tollbook schema --write schema/json`"
            );
        }
    }

    /// `openapi.json` is written by `api`.
    #[test]
    fn no_schema_is_committed_that_nothing_generates() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("json");
        let generated: Vec<_> = all().into_iter().map(|document| document.file).collect();
        for entry in fs::read_dir(folder).expect("a folder") {
            let name = entry.expect("an entry").file_name();
            let file = name.to_str().expect("a plain name");
            let known = file == "openapi.json" || generated.contains(&file);
            assert!(known, "{file}");
        }
    }
}
