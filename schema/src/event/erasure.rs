//! What happens to a tenant that wants to be forgotten. Which tenant it is, is the stream's id: its
//! pseudonym, the only name that the log ever has for it.
//!
//! The reason that an announcement may give is not kept: it is somebody's free text, and may name a
//! person.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Timestamp;

/// See [`super::Event::ErasureRequested`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErasureRequested {
    /// The announcement (`tenant.erased`) that asks for it.
    pub source_event_id: Uuid,
    /// When the platform erased the tenant, as the announcement says.
    pub erased_at: Timestamp,
    /// Arrival in the stream `TENANT_EVENTS`.
    pub received_at: Timestamp,
}

/// See [`super::Event::TenantErased`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TenantErased {
    /// When the key was destroyed and the rows were renamed, in one transaction.
    pub erased_at: Timestamp,
    /// How many rows of projections named the tenant and now name its pseudonym.
    pub rows: u64,
}
