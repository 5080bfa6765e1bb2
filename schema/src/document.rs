//! The JSON Schemas of everything that is stored or sent, as they are committed in `schema/json/`.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

use crate::{
    event::{
        AccessRefused, AccountChanged, AccountRegistered, ChargeConflictRecorded, ChargeHeld,
        CostClosed, CostOpened, CrossAccountRead, LateReceiptRecorded, MessageCharged,
        MessageSettled, OrphanMatched, PriceClosed, PriceOpened, ReceiptOrphaned, ReceiptRecorded,
        Sealed,
    },
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

/// All of them: subjects by their name, events by type and version.
#[must_use]
pub fn all() -> Vec<Document> {
    vec![
        document::<InboundReceipt>("sms.dlr.inbound.json"),
        document::<BillingEvent>("billing.events.json"),
        document::<InboundSettlement>("billing.events.read.json"),
        document::<WebhookDispatch>("webhook.dispatch.json"),
        document::<UnmatchedReceipt>("sms.dlr.unmatched.json"),
        document::<ReceiptRecorded>("event.ReceiptRecorded.v1.json"),
        document::<MessageSettled>("event.MessageSettled.v1.json"),
        document::<LateReceiptRecorded>("event.LateReceiptRecorded.v1.json"),
        document::<ReceiptOrphaned>("event.ReceiptOrphaned.v1.json"),
        document::<OrphanMatched>("event.OrphanMatched.v1.json"),
        document::<MessageCharged>("event.MessageCharged.v1.json"),
        document::<ChargeHeld>("event.ChargeHeld.v1.json"),
        document::<ChargeConflictRecorded>("event.ChargeConflictRecorded.v1.json"),
        document::<AccountRegistered>("event.AccountRegistered.v1.json"),
        document::<AccountChanged>("event.AccountChanged.v1.json"),
        document::<PriceOpened>("event.PriceOpened.v1.json"),
        document::<PriceClosed>("event.PriceClosed.v1.json"),
        document::<CostOpened>("event.CostOpened.v1.json"),
        document::<CostClosed>("event.CostClosed.v1.json"),
        document::<CrossAccountRead>("event.CrossAccountRead.v1.json"),
        document::<AccessRefused>("event.AccessRefused.v1.json"),
        document::<Sealed>("event.sealed.json"),
    ]
}

fn document<T: JsonSchema>(file: &'static str) -> Document {
    let schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<T>();
    Document {
        file,
        schema: schema.to_value(),
    }
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
}
