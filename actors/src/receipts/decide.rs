//! What follows from a receipt: for its message, or for an orphan.

pub mod message;
pub mod orphan;

use schema::ReceiptFacts;

use crate::runtime::origin::Origin;

/// The name under which the log keeps what the receipt processor recorded.
const PRINCIPAL: &str = "dlr-processor";

/// A receipt as the origin of what follows from it.
fn origin(receipt: &ReceiptFacts, trace: Option<String>) -> Origin {
    Origin {
        request: receipt.source_event_id,
        time: receipt.received_at,
        principal: PRINCIPAL.into(),
        trace,
    }
}
