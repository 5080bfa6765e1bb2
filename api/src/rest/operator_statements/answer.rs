//! How a statement is told.

use projections::operator_statements::operator_statements::ComparedStatement;
use schema::{
    Currency, Day, OperatorId, StatementId, Timestamp,
    event::{Difference, DifferenceClass, SideSums, StatementContent},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::advice;

/// A statement that was compared.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatementRow {
    /// The statement.
    statement_id: StatementId,
    /// Whose statement it is.
    operator_id: OperatorId,
    /// The first day it is about, in UTC.
    from: Day,
    /// The last day; it is included.
    to: Day,
    /// The currency of its costs.
    currency: Currency,
    /// What its lines are about.
    content: StatementContent,
    /// SHA-256 of the file, in lower-case hexadecimal digits.
    sha256: String,
    /// How many lines it has, the header not counted.
    lines: u32,
    /// Who brought it.
    compared_by: String,
    /// When they did. What was recorded later is not in here.
    compared_at: Timestamp,
    /// The sums of each class, every class once.
    sums: Vec<ClassRow>,
}

/// What is of one class.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ClassRow {
    /// The class.
    class: DifferenceClass,
    /// What the carrier says.
    theirs: SideSums,
    /// What is recorded with us.
    ours: SideSums,
    /// What can be done about it, for people.
    advice: &'static str,
}

/// A statement that was compared, with a page of its differences.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatementReport {
    #[serde(flatten)]
    statement: StatementRow,
    /// A page of the differences: the first hundred of each class by line.
    differences: Vec<Difference>,
    /// For the next page; null if this is the last.
    next_cursor: Option<String>,
}

impl From<ComparedStatement> for StatementRow {
    fn from(statement: ComparedStatement) -> Self {
        let compared = statement.compared;
        let sums = compared.sums.into_iter().map(|sums| ClassRow {
            class: sums.class,
            theirs: sums.theirs,
            ours: sums.ours,
            advice: advice::of(sums.class),
        });
        Self {
            statement_id: compared.statement_id,
            operator_id: compared.operator_id,
            from: compared.from,
            to: compared.to,
            currency: compared.currency,
            content: compared.content,
            sha256: compared.sha256,
            lines: compared.lines,
            compared_by: statement.compared_by,
            compared_at: statement.compared_at,
            sums: sums.collect(),
        }
    }
}

impl StatementReport {
    /// The statement with these of its differences.
    pub(super) fn new(
        statement: ComparedStatement,
        differences: Vec<Difference>,
        next_cursor: Option<String>,
    ) -> Self {
        Self {
            statement: statement.into(),
            differences,
            next_cursor,
        }
    }
}
