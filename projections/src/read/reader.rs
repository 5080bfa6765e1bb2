//! Asks the tables: under a [`Scope`], one statement per question, and whether they show what was
//! just written. It must never write.

use std::{cell::Cell, fmt::Display, sync::Arc, time::Duration};

use eventstore::{
    LogId, StoreError,
    postgres::{Database, Statement, is_stale_plan},
};
use schema::{Amount, Currency, Position, Timestamp, UnitPrice};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep_until};
use tokio_postgres::{
    Row,
    types::{FromSql, ToSql},
};

use crate::Scope;

/// How soon the checkpoints are looked at again, at first; it doubles up to [`AGAIN_MAX`].
const AGAIN: Duration = Duration::from_millis(2);
const AGAIN_MAX: Duration = Duration::from_millis(32);

/// Whoever may ask; cheap to clone.
#[derive(Clone)]
pub struct Reader {
    database: Database,
    log: LogId,
}

/// A question without an answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Postgres refused or went away.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row cannot be understood.
    #[error("column {column} of {table} in row {row} cannot be read")]
    Unreadable {
        /// The table, with its schema.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// What tells the row from others: an id or a position, never its content.
        row: String,
    },
}

/// What a question is asked with.
pub type Parameters = Vec<Box<dyn ToSql + Sync + Send>>;

impl Reader {
    /// A reader of what is built from `log` in `database`.
    #[must_use]
    pub const fn new(database: Database, log: LogId) -> Self {
        Self { database, log }
    }

    /// The log whose projections are read.
    #[must_use]
    pub const fn log(&self) -> LogId {
        self.log
    }

    /// Whether everything up to and including `position` is in these projections.
    ///
    /// # Errors
    /// A fault of Postgres.
    pub async fn passed(
        &self,
        projections: &[&str],
        position: Position,
    ) -> Result<bool, StoreError> {
        const PASSED: Statement = Statement::new(include_str!("reader/passed.sql"));
        let parameters: [&(dyn ToSql + Sync); 3] = [&self.log.0, &projections, &position.0];
        let row = self.database.query_one(PASSED, &parameters).await?;
        let passed: i64 = row.get(0);
        Ok(usize::try_from(passed) == Ok(projections.len()))
    }

    /// Waits until these projections (each named once) have passed `position`; false if they have
    /// not by `deadline`.
    ///
    /// # Errors
    /// A fault of Postgres.
    pub async fn wait_until(
        &self,
        projections: &[&str],
        position: Position,
        deadline: Instant,
    ) -> Result<bool, StoreError> {
        let mut pause = AGAIN;
        loop {
            if self.passed(projections, position).await? {
                return Ok(true);
            }
            let now = Instant::now();
            if now >= deadline {
                return Ok(false);
            }
            sleep_until((now + pause).min(deadline)).await;
            pause = (pause * 2).min(AGAIN_MAX);
        }
    }

    /// Runs one statement under `scope`; once more if a table it reads was altered since it was
    /// prepared.
    pub(crate) async fn rows(
        &self,
        statement: Statement,
        scope: Scope,
        parameters: Parameters,
    ) -> Result<Vec<Row>, ReadError> {
        let parameters = Arc::new(parameters);
        let rows = || self.rows_once(statement, scope, Arc::clone(&parameters));
        match rows().await {
            Err(error) if is_stale_plan(&error) => rows().await,
            answer => answer,
        }
    }

    async fn rows_once(
        &self,
        statement: Statement,
        scope: Scope,
        parameters: Arc<Parameters>,
    ) -> Result<Vec<Row>, ReadError> {
        self.database
            .transaction(statement.name(), move |transaction| {
                Box::pin(async move {
                    scope.enter(transaction).await?;
                    let parameters: Vec<&(dyn ToSql + Sync)> = parameters
                        .iter()
                        .map(|one| &**one as &(dyn ToSql + Sync))
                        .collect();
                    Ok(statement.query(transaction, &parameters).await?)
                })
            })
            .await
    }
}

/// A row being read, with what an error says about it. Columns that are read in the order of their
/// statement are found at once; any other is looked for.
#[derive(Debug)]
pub struct Cells<'a, R> {
    table: &'static str,
    row: &'a Row,
    name: R,
    /// The column behind the one that was read last.
    next: Cell<usize>,
}

impl<'a, R: Display> Cells<'a, R> {
    /// The row of `table` that is known as `name`.
    pub(crate) const fn new(table: &'static str, row: &'a Row, name: R) -> Self {
        Self {
            table,
            row,
            name,
            next: Cell::new(0),
        }
    }

    /// A value that needs no check.
    pub(crate) fn get<T: FromSql<'a>>(&self, column: &'static str) -> Result<T, ReadError> {
        let columns = self.row.columns();
        let next = self.next.get();
        let is_next = columns.get(next).is_some_and(|it| it.name() == column);
        let index = if is_next {
            Some(next)
        } else {
            columns.iter().position(|it| it.name() == column)
        };
        let value = index.and_then(|index| {
            self.next.set(index + 1);
            self.row.try_get(index).ok()
        });
        self.known(column, value)
    }

    /// Where an event stands in the log.
    pub(crate) fn position(&self, column: &'static str) -> Result<Position, ReadError> {
        self.get(column).map(Position)
    }

    /// A word that `parse` knows.
    pub(crate) fn word<T>(
        &self,
        column: &'static str,
        parse: fn(&str) -> Option<T>,
    ) -> Result<T, ReadError> {
        self.known(column, parse(self.get(column)?))
    }

    /// The same, or nothing.
    pub(crate) fn word_if_any<T>(
        &self,
        column: &'static str,
        parse: fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ReadError> {
        match self.get::<Option<&str>>(column)? {
            None => Ok(None),
            Some(word) => self.known(column, parse(word)).map(Some),
        }
    }

    /// A currency.
    pub(crate) fn currency(&self, column: &'static str) -> Result<Currency, ReadError> {
        self.word(column, Currency::parse)
    }

    /// An amount.
    pub(crate) fn amount(&self, column: &'static str) -> Result<Amount, ReadError> {
        self.known(column, Amount::new(self.get(column)?))
    }

    /// An amount, or nothing.
    pub(crate) fn amount_if_any(&self, column: &'static str) -> Result<Option<Amount>, ReadError> {
        match self.get(column)? {
            None => Ok(None),
            Some(decimal) => self.known(column, Amount::new(decimal)).map(Some),
        }
    }

    /// A price of one.
    pub(crate) fn unit_price(&self, column: &'static str) -> Result<UnitPrice, ReadError> {
        let amount = self.amount(column)?;
        self.known(column, UnitPrice::try_from(amount).ok())
    }

    /// A time.
    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp, ReadError> {
        let at: OffsetDateTime = self.get(column)?;
        Ok(Timestamp::from_datetime(at))
    }

    /// A time, or nothing.
    pub(crate) fn time_if_any(&self, column: &'static str) -> Result<Option<Timestamp>, ReadError> {
        let at: Option<OffsetDateTime> = self.get(column)?;
        Ok(at.map(Timestamp::from_datetime))
    }

    /// A value, unless it could not be understood.
    pub(crate) fn known<T>(&self, column: &'static str, value: Option<T>) -> Result<T, ReadError> {
        value.ok_or_else(|| ReadError::Unreadable {
            table: self.table,
            column,
            row: self.name.to_string(),
        })
    }
}
