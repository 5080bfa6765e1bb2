//! One statement from its first byte to its report.

use std::fmt::Write as _;

use eventstore::log::chain;
use projections::{
    Table as _,
    operator_statements::{
        comparison::{About, ComparisonError, Comparisons, Found, Upload as Staged},
        operator_statements::{self, ComparedStatement, OperatorStatements},
    },
};
use ring::digest::{Context as Digest, SHA256};
use schema::{
    Currency, Day, OperatorId, StatementId,
    event::{OperatorStatementCompared, StatementContent},
};

use super::columns::{LINES_MAX, Rows};
use crate::{
    http::{
        lines::{Line, LineFault, Lines},
        problem::{Code, Problem},
        upload::Upload,
    },
    rest::{context::RequestContext, fault, state::AppState, visible},
};
use actors::operator_statements::decide::Refusal;

/// How many lines are put down at once.
const STAGED_AT_ONCE: usize = 5_000;

/// A statement as it is brought.
#[derive(Debug, Clone, Copy)]
pub(super) struct Brought {
    /// Its id.
    pub(super) statement: StatementId,
    /// Whose it is.
    pub(super) operator: OperatorId,
    /// The first day.
    pub(super) from: Day,
    /// The last day; it is included.
    pub(super) to: Day,
    /// The currency of its costs.
    pub(super) currency: Currency,
}

/// A file as it was read.
struct File {
    sha256: String,
    lines: u32,
    rows: Rows,
}

/// Compares the statement, unless it was compared before. Says whether it was not.
///
/// # Errors
/// The file cannot be used, the id belongs to another one, or a fault. Nothing is left behind.
pub(super) async fn compare(
    shared: &AppState,
    context: &RequestContext,
    brought: Brought,
    mut upload: Upload,
) -> Result<(ComparedStatement, bool), Problem> {
    let known = find(shared, brought.statement).await?;
    if let Some(known) = known {
        let sha256 = digest(&mut upload).await?;
        return if brought.is(&known, &sha256) {
            Ok((known, false))
        } else {
            Err(Problem::new(Code::IdReused).at("statementId"))
        };
    }
    let comparisons = &shared.statements.comparisons;
    let mut desk = Desk {
        comparisons,
        staged: None,
        context,
    };
    let found = desk.read_and_compare(brought, &mut upload).await;
    desk.clear().await;
    let (file, found) = match found {
        Ok(found) => found,
        Err(problem) => {
            upload.discard().await;
            return Err(problem);
        }
    };
    record(shared, context, brought.compared(&file, found)).await
}

/// Records what was found, and reads it back.
async fn record(
    shared: &AppState,
    context: &RequestContext,
    compared: OperatorStatementCompared,
) -> Result<(ComparedStatement, bool), Problem> {
    let statement = compared.statement_id;
    let origin = context.origin(shared, context.fresh).await?;
    let commands = &shared.commands.operator_statements;
    let written = commands.record(origin, compared).await;
    let written = written.map_err(|error| fault::undone(error, refused))?;
    visible::shown(shared, OperatorStatements::NAME, written.position).await?;
    let statement = find(shared, statement).await?;
    // It is not there only while the table is built anew.
    let statement = statement.ok_or(Problem::new(Code::NotYetVisible))?;
    Ok((statement, written.new))
}

async fn find(
    shared: &AppState,
    statement: StatementId,
) -> Result<Option<ComparedStatement>, Problem> {
    let found = operator_statements::find(&shared.reader, statement).await;
    found.map_err(fault::unread)
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::AnotherStatement => Problem::new(Code::IdReused).at("statementId"),
    }
}

/// The file's digest, whatever is in it.
async fn digest(upload: &mut Upload) -> Result<String, Problem> {
    let mut digest = Digest::new(&SHA256);
    while let Some(piece) = upload.next().await? {
        digest.update(&piece);
    }
    Ok(hexadecimal(digest))
}

fn hexadecimal(digest: Digest) -> String {
    let mut digits = String::new();
    for byte in digest.finish().as_ref() {
        // Unwrap safety: a String takes whatever is written.
        write!(digits, "{byte:02x}").expect("written");
    }
    digits
}

impl Brought {
    /// Whether this is what was compared before.
    fn is(&self, known: &ComparedStatement, sha256: &str) -> bool {
        let known = &known.compared;
        known.sha256 == sha256
            && (known.operator_id, known.from, known.to, known.currency)
                == (self.operator, self.from, self.to, self.currency)
    }

    fn about(&self) -> About {
        About {
            operator: self.operator,
            from: self.from,
            to: self.to,
            currency: self.currency,
        }
    }

    fn compared(&self, file: &File, found: Found) -> OperatorStatementCompared {
        let (sums, differences) = found.told();
        OperatorStatementCompared {
            statement_id: self.statement,
            operator_id: self.operator,
            from: self.from,
            to: self.to,
            currency: self.currency,
            content: file.rows.content().unwrap_or(StatementContent::Messages),
            sha256: file.sha256.clone(),
            lines: file.lines,
            sums,
            differences,
        }
    }
}

/// Where one statement is compared, and what is to be cleared there.
struct Desk<'a> {
    comparisons: &'a Comparisons,
    staged: Option<Staged>,
    context: &'a RequestContext,
}

impl Desk<'_> {
    async fn read_and_compare(
        &mut self,
        brought: Brought,
        upload: &mut Upload,
    ) -> Result<(File, Found), Problem> {
        let mut file = self.read(brought, upload).await?;
        let about = brought.about();
        let found = match (&mut file.rows, self.staged) {
            (Rows::Days(days), _) => {
                let days = std::mem::take(&mut days.lines);
                self.comparisons.compare_days(about, days).await
            }
            (_, Some(staged)) => self.comparisons.compare(staged, about, file.lines).await,
            // Not one line about a message: all there is, is ours.
            (_, None) => {
                let staged = self.begin().await?;
                self.comparisons.compare(staged, about, 0).await
            }
        };
        Ok((file, found.map_err(|error| uncompared(&error))?))
    }

    /// Reads the file; puts lines about messages down as they come.
    async fn read(&mut self, brought: Brought, upload: &mut Upload) -> Result<File, Problem> {
        let mut digest = Digest::new(&SHA256);
        let mut lines = Lines::new(LINES_MAX);
        let mut rows = Rows::new(brought.from, brought.to);
        while let Some(piece) = upload.next().await? {
            digest.update(&piece);
            let mut each = |line: &Line<'_>| rows.take(line);
            lines.feed(&piece, &mut each).map_err(malformed)?;
            if rows.waiting() >= STAGED_AT_ONCE {
                self.stage(&mut rows).await?;
            }
        }
        let mut each = |line: &Line<'_>| rows.take(line);
        lines.finish(&mut each).map_err(malformed)?;
        if rows.waiting() > 0 {
            self.stage(&mut rows).await?;
        }
        Ok(File {
            sha256: hexadecimal(digest),
            lines: lines.count(),
            rows,
        })
    }

    async fn stage(&mut self, rows: &mut Rows) -> Result<(), Problem> {
        let staged = match self.staged {
            Some(staged) => staged,
            None => self.begin().await?,
        };
        let lines = rows.taken();
        let put = self.comparisons.stage(staged, &lines).await;
        put.map_err(|error| fault::unreachable(&error))
    }

    async fn begin(&mut self) -> Result<Staged, Problem> {
        let begun = self.comparisons.begin(self.context.fresh).await;
        let begun = begun.map_err(|error| fault::unreachable(&error))?;
        self.staged = Some(begun);
        Ok(begun)
    }

    /// Clears what was put down; if that fails, a later comparison does.
    async fn clear(&mut self) {
        let Some(staged) = self.staged.take() else {
            return;
        };
        if let Err(error) = self.comparisons.end(staged).await {
            tracing::warn!(event = "statement.not_cleared", error = chain(&error));
        }
    }
}

fn malformed(fault: LineFault) -> Problem {
    Problem::new(Code::MalformedCsv).because(fault.to_string())
}

fn uncompared(error: &ComparisonError) -> Problem {
    match error {
        ComparisonError::Store(error) => fault::unreachable(error),
        ComparisonError::Read(error) => fault::broken(error),
        ComparisonError::Lost => {
            tracing::warn!(event = "statement.lines_lost");
            Problem::new(Code::Unavailable)
        }
    }
}
