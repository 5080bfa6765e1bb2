//! What the log says of adjustments, as the auditor reads it.

use serde::Deserialize;
use uuid::Uuid;

use crate::money::Millionths;

/// How far an adjustment comes with an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Proposed,
    Approved,
    Rejected,
}

/// `AdjustmentProposed`, `AdjustmentApproved` and `AdjustmentRejected`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Adjustment {
    pub(super) stage: Stage,
    pub(super) facts: Facts,
    pub(super) proposed_by: Person,
    /// Who approved or rejected it.
    pub(super) decided_by: Option<Person>,
}

/// What is adjusted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Facts {
    pub(super) adjustment_id: Uuid,
    pub(super) account_id: Uuid,
    pub(super) amount: Millionths,
    pub(super) currency: Box<str>,
    pub(super) message_id: Option<Uuid>,
}

/// A person of an issuer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Person {
    pub(super) issuer: Box<str>,
    pub(super) subject: Box<str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    adjustment: Facts,
    proposed_by: Person,
    #[serde(alias = "approvedBy", alias = "rejectedBy")]
    decided_by: Option<Person>,
}

impl Adjustment {
    /// Reads what is stored under `name`.
    pub(super) fn read(name: &str, payload: &str) -> Option<Self> {
        let stage = match name {
            "AdjustmentProposed" => Stage::Proposed,
            "AdjustmentApproved" => Stage::Approved,
            "AdjustmentRejected" => Stage::Rejected,
            _ => return None,
        };
        let payload: Payload = serde_json::from_str(payload).ok()?;
        let told = payload.decided_by.is_some() == (stage != Stage::Proposed);
        told.then_some(Self {
            stage,
            facts: payload.adjustment,
            proposed_by: payload.proposed_by,
            decided_by: payload.decided_by,
        })
    }

    /// Who does what the event says.
    pub(super) fn actor(&self) -> &Person {
        self.decided_by.as_ref().unwrap_or(&self.proposed_by)
    }
}
