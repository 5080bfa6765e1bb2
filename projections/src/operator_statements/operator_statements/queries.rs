//! What is asked of `billing.operator_statements`.

use eventstore::postgres::Statement;
use schema::{
    Day, OperatorId, Position, StatementId, Timestamp,
    event::{Difference, OperatorStatementCompared, StatementContent, StatementSums},
};
use tokio_postgres::{Row, types::Json};
use uuid::Uuid;

use crate::{
    Page, ReadError, Reader, Scope,
    read::{Cells, Parameters},
};

const TABLE: &str = "billing.operator_statements";

/// A statement that was compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedStatement {
    /// The position of that event in the log; its place in lists.
    pub position: Position,
    /// What that showed; in a list without its differences.
    pub compared: OperatorStatementCompared,
    /// Who brought it.
    pub compared_by: String,
    /// When they did.
    pub compared_at: Timestamp,
}

/// Statements that were compared, of one carrier or of all, in the order of that, without their
/// differences.
///
/// # Errors
/// See [`ReadError`].
pub async fn list(
    reader: &Reader,
    operator: Option<OperatorId>,
    page: Page,
) -> Result<Vec<ComparedStatement>, ReadError> {
    const LIST: Statement = Statement::new(include_str!("list.sql"));
    let asked: Parameters = vec![
        Box::new(reader.log().0),
        Box::new(page.after.unwrap_or_default().0),
        Box::new(page.limit),
        Box::new(operator.map(|operator| operator.0)),
    ];
    let rows = reader.rows(LIST, Scope::EveryTenant, asked).await?;
    rows.iter().map(read).collect()
}

/// The statement of this id, if it was compared.
///
/// # Errors
/// See [`ReadError`].
pub async fn find(
    reader: &Reader,
    statement: StatementId,
) -> Result<Option<ComparedStatement>, ReadError> {
    const FIND: Statement = Statement::new(include_str!("find.sql"));
    let asked: Parameters = vec![Box::new(reader.log().0), Box::new(statement.0)];
    let rows = reader.rows(FIND, Scope::EveryTenant, asked).await?;
    rows.first().map(read).transpose()
}

fn read(row: &Row) -> Result<ComparedStatement, ReadError> {
    let id: Uuid = Cells::new(TABLE, row, "?").get("statement_id")?;
    let cells = Cells::new(TABLE, row, id);
    let lines: i32 = cells.get("line_count")?;
    let Json(sums): Json<Vec<StatementSums>> = cells.get("sums")?;
    let Json(differences): Json<Vec<Difference>> = cells.get("differences")?;
    Ok(ComparedStatement {
        position: cells.position("position")?,
        compared: OperatorStatementCompared {
            statement_id: StatementId(id),
            operator_id: OperatorId(cells.get("operator_id")?),
            from: Day(cells.get("first_day")?),
            to: Day(cells.get("last_day")?),
            currency: cells.currency("currency")?,
            content: cells.word("content", content)?,
            sha256: cells.get("sha256")?,
            lines: cells.known("line_count", u32::try_from(lines).ok())?,
            sums,
            differences,
        },
        compared_by: cells.get("compared_by")?,
        compared_at: cells.time("compared_at")?,
    })
}

/// The content of this name.
fn content(word: &str) -> Option<StatementContent> {
    [StatementContent::Messages, StatementContent::Days]
        .into_iter()
        .find(|content| super::word(*content) == word)
}
