//! What happens to sheets: one is applied, once, with all that follows from its lines, or not at all.
//!
//! What its lines opened and closed are events of the prices and costs themselves, recorded right
//! before it. Who wanted it is the envelope's principal.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::SheetId;

/// See [`super::Event::PriceSheetApplied`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PriceSheetApplied {
    /// The sheet and what came of it.
    #[serde(flatten)]
    pub sheet: SheetFacts,
}

/// See [`super::Event::CostSheetApplied`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CostSheetApplied {
    /// The sheet and what came of it.
    #[serde(flatten)]
    pub sheet: SheetFacts,
}

/// A sheet and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SheetFacts {
    /// What its author calls it.
    pub sheet_id: SheetId,
    /// SHA-256 over its bytes as they came, in lower-case hexadecimal digits.
    pub content: String,
    /// How many lines it had beside its header.
    pub lines: u32,
    /// How many versions were opened.
    pub opened: u32,
    /// How many versions got an earlier end.
    pub closed: u32,
    /// How many lines said what was in effect already.
    pub unchanged: u32,
}
