//! What comparing a carrier's own statement with what is recorded showed.
//!
//! It is complete: the sums over everything, and the first differences of each class. Nothing in it
//! is personal: ids of carriers and of messages are not (CONTRACTS 10), and no other column of a
//! statement is kept.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Amount, Currency, Day, MessageId, OperatorId, OperatorMessageId, StatementId, Status};

/// See [`super::Event::OperatorStatementCompared`]. Who compared is the envelope's principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperatorStatementCompared {
    /// The statement.
    pub statement_id: StatementId,
    /// The carrier whose statement it is.
    pub operator_id: OperatorId,
    /// The first day it is about, in UTC.
    pub from: Day,
    /// The last day; it is included.
    pub to: Day,
    /// The currency of its costs.
    pub currency: Currency,
    /// What its lines are about.
    pub content: StatementContent,
    /// SHA-256 of the file, in lower-case hexadecimal digits.
    pub sha256: String,
    /// How many lines it has, the header not counted.
    pub lines: u32,
    /// The sums of each class, every class once, in their order.
    pub sums: Vec<StatementSums>,
    /// The first differences of each class, in the order of classes and lines.
    pub differences: Vec<Difference>,
}

/// What the lines of a statement are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StatementContent {
    /// A message, or a part of one.
    Messages,
    /// All messages of a day with one status.
    Days,
}

/// How a message, or the messages of a day with one status, stand on both sides. Each is of one
/// class: the first that applies.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DifferenceClass {
    /// Both say the same.
    Agreeing,
    /// The carrier names an id again that stands in an earlier line, and once with us.
    Repeated,
    /// Only the carrier knows of it.
    OnlyTheirs,
    /// Only we know of it.
    OnlyOurs,
    /// The final status is another one.
    OtherStatus,
    /// The day has another number of messages with that status.
    OtherCount,
    /// The number of segments is another one.
    OtherSegments,
    /// The cost is another one, is in another currency, or is not known to us.
    OtherCost,
}

/// The sums of one class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatementSums {
    /// The class.
    pub class: DifferenceClass,
    /// What the carrier says.
    pub theirs: SideSums,
    /// What is recorded with us.
    pub ours: SideSums,
}

/// What one side says, summed up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SideSums {
    /// Messages.
    pub messages: i64,
    /// Their SMS segments.
    pub segments: i64,
    /// What the carrier takes for them, by currency; nothing where no cost is told.
    pub costs: Vec<MoneySum>,
}

/// A sum in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MoneySum {
    /// The currency.
    pub currency: Currency,
    /// The sum.
    pub amount: Amount,
}

/// One thing that both sides do not tell alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// How they differ.
    pub class: DifferenceClass,
    /// The line of the file, the header being line 1; of several, the first. Absent where only we
    /// know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The carrier's id of the message; absent in totals of a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_message_id: Option<OperatorMessageId>,
    /// Our id of the message; absent where we do not know it, and in totals of a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<MessageId>,
    /// The day, in totals of a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Day>,
    /// What the carrier says; absent if it says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<Figures>,
    /// What is recorded with us; absent if nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<Figures>,
}

/// What one side says of a message, or of the messages of a day with one status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// The status.
    pub status: Status,
    /// Messages.
    pub messages: i64,
    /// Their SMS segments.
    pub segments: i64,
    /// What the carrier takes for them, by currency; nothing where no cost is told.
    pub costs: Vec<MoneySum>,
}

impl DifferenceClass {
    /// Every class, in order.
    pub const ALL: [Self; 8] = [
        Self::Agreeing,
        Self::Repeated,
        Self::OnlyTheirs,
        Self::OnlyOurs,
        Self::OtherStatus,
        Self::OtherCount,
        Self::OtherSegments,
        Self::OtherCost,
    ];

    /// The name on the wire, in the log and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agreeing => "AGREEING",
            Self::Repeated => "REPEATED",
            Self::OnlyTheirs => "ONLY_THEIRS",
            Self::OnlyOurs => "ONLY_OURS",
            Self::OtherStatus => "OTHER_STATUS",
            Self::OtherCount => "OTHER_COUNT",
            Self::OtherSegments => "OTHER_SEGMENTS",
            Self::OtherCost => "OTHER_COST",
        }
    }

    /// The class of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }
}
