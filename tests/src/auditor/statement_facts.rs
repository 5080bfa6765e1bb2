//! What the log says of carriers' statements, as the auditor reads it.

use schema::Status;
use serde::Deserialize;
use uuid::Uuid;

use crate::money::Millionths;

/// `OperatorStatementCompared`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Compared {
    pub(super) statement_id: Uuid,
    pub(super) operator_id: Uuid,
    pub(super) from: Box<str>,
    pub(super) to: Box<str>,
    pub(super) currency: Box<str>,
    pub(super) content: Box<str>,
    pub(super) sha256: Box<str>,
    pub(super) lines: i32,
    pub(super) sums: Vec<Sums>,
    pub(super) differences: Vec<Difference>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Sums {
    pub(super) class: Box<str>,
    pub(super) theirs: Side,
    pub(super) ours: Side,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Side {
    pub(super) messages: i64,
    pub(super) segments: i64,
    pub(super) costs: Vec<Money>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(super) struct Money {
    pub(super) currency: Box<str>,
    pub(super) amount: Millionths,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Difference {
    pub(super) class: Box<str>,
    pub(super) message_id: Option<Uuid>,
    pub(super) line: Option<i32>,
    pub(super) day: Option<Box<str>>,
    pub(super) theirs: Option<Figures>,
    pub(super) ours: Option<Figures>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Figures {
    pub(super) status: Status,
    pub(super) messages: i64,
    pub(super) segments: i64,
    pub(super) costs: Vec<Money>,
}
