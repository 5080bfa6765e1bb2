//! Compares a carrier's statement with what is recorded.
//!
//! A statement about messages has up to a million lines. They are put into tables of their own as they
//! arrive, our messages of the same days are put beside them hour by hour, and both are compared by
//! statements over a part of them each: no statement takes long, no connection is held between two,
//! and what is in memory does not grow with the file. A statement of totals per day is short; its days
//! are summed up here and compared in [`totals`].
//!
//! Nothing is changed but these tables, and they are cleared when a comparison ends, however it ends.
//! What a process that died left in them is cleared by a later one.

mod found;
pub mod totals;

use eventstore::{
    LogId, StoreError,
    postgres::{Database, Statement, is_stale_plan},
};
use rust_decimal::Decimal;
use schema::{Currency, Day, OperatorId, Timestamp};
use time::{Duration, OffsetDateTime};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::{ReadError, Scope, read::Parameters};

pub use found::Found;

/// How far beside its days a statement's lines are still about our messages: carriers have other
/// time zones, and receipts are late. Ids come again only after some weeks.
const BESIDE: Duration = Duration::days(3);
/// What is taken at once of our messages. At some hundred messages per second of one carrier this is
/// a million.
const SLICE: Duration = Duration::HOUR;
/// Lines and messages that are compared at once.
const PART: i64 = 500_000;
/// The most parts: as many as ids are told apart by.
const PARTS_MAX: i64 = 1_024;
/// How many differences of each class are kept.
pub const DIFFERENCES_MAX: usize = 100;
/// After how many seconds a comparison must have ended.
const LEFT_BEHIND: i64 = 2 * 60 * 60;

/// Where statements are compared. Cheap to clone.
#[derive(Clone)]
pub struct Comparisons {
    database: Database,
    log: LogId,
}

/// Whose statement it is, and what about.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The carrier.
    pub operator: OperatorId,
    /// The first day.
    pub from: Day,
    /// The last day; it is included.
    pub to: Day,
    /// The currency of its costs.
    pub currency: Currency,
}

/// Lines about messages, column by column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageLines {
    /// Their numbers.
    pub line: Vec<i32>,
    /// The carrier's ids.
    pub id: Vec<String>,
    /// What its words mean.
    pub status: Vec<&'static str>,
    /// SMS segments.
    pub segments: Vec<i64>,
    /// What it takes, if it says so.
    pub cost: Vec<Option<Decimal>>,
}

/// A statement about messages on its way to be compared. Whoever began it ends it.
#[derive(Debug, Clone, Copy)]
pub struct Upload(Uuid);

/// How much was put down: lines, and our messages beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Staged {
    lines: i64,
    charges: i64,
}

impl Staged {
    /// In how many parts to compare it.
    fn parts(self) -> i64 {
        ((self.lines + self.charges) / PART + 1).min(PARTS_MAX)
    }
}

/// Why a statement could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum ComparisonError {
    /// Postgres refused or went away.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row cannot be understood.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Lines that were put down are gone.
    #[error("lines of the statement were lost while it was compared")]
    Lost,
}

impl Comparisons {
    /// Compares with what is built from `log` in `database`.
    #[must_use]
    pub const fn new(database: Database, log: LogId) -> Self {
        Self { database, log }
    }

    /// Begins to compare a statement about messages; `upload` names this try and no other. Clears
    /// what others left behind.
    ///
    /// # Errors
    /// A fault of Postgres.
    pub async fn begin(&self, upload: Uuid) -> Result<Upload, StoreError> {
        const LEFT: Statement = Statement::new(include_str!("comparison/left_behind.sql"));
        const BEGIN: Statement = Statement::new(include_str!("comparison/begin.sql"));
        for row in self.database.query(LEFT, &[&LEFT_BEHIND]).await? {
            self.end(Upload(row.get(0))).await?;
        }
        self.database.query(BEGIN, &[&upload]).await?;
        Ok(Upload(upload))
    }

    /// Puts lines down.
    ///
    /// # Errors
    /// A fault of Postgres.
    pub async fn stage(&self, upload: Upload, lines: &MessageLines) -> Result<(), StoreError> {
        const STAGE: Statement = Statement::new(include_str!("comparison/stage.sql"));
        let parameters: [&(dyn ToSql + Sync); 6] = [
            &upload.0,
            &lines.line,
            &lines.id,
            &lines.status,
            &lines.segments,
            &lines.cost,
        ];
        self.database.query(STAGE, &parameters).await?;
        Ok(())
    }

    /// Compares the lines that were put down, `lines` of them, with what is recorded.
    ///
    /// # Errors
    /// See [`ComparisonError`].
    pub async fn compare(
        &self,
        upload: Upload,
        about: About,
        lines: u32,
    ) -> Result<Found, ComparisonError> {
        self.take_charges(upload, about).await?;
        let staged = self.staged(upload).await?;
        if staged.lines != i64::from(lines) {
            return Err(ComparisonError::Lost);
        }
        let parts = staged.parts();
        let mut found = Found::new(about.currency);
        for part in 0..parts {
            self.match_lines(upload, part, parts).await?;
        }
        for part in 0..parts {
            found.add(&self.messages(upload, about, part, parts).await?)?;
            found.add(&self.unmatched(upload, part, parts).await?)?;
        }
        // Where Postgres was restarted between two parts, the later ones found nothing.
        if self.staged(upload).await? != staged {
            return Err(ComparisonError::Lost);
        }
        Ok(found)
    }

    /// Clears what was put down.
    ///
    /// # Errors
    /// A fault of Postgres; a later comparison clears it.
    pub async fn end(&self, upload: Upload) -> Result<(), StoreError> {
        const CLEAR: [Statement; 4] = [
            Statement::new(include_str!("comparison/clear_matches.sql")),
            Statement::new(include_str!("comparison/clear_charges.sql")),
            Statement::new(include_str!("comparison/clear_lines.sql")),
            // Last: as long as it is there, somebody finds the rest.
            Statement::new(include_str!("comparison/clear_uploads.sql")),
        ];
        for clear in CLEAR {
            self.database.query(clear, &[&upload.0]).await?;
        }
        Ok(())
    }

    /// Puts our messages beside the lines, an hour at a time.
    async fn take_charges(&self, upload: Upload, about: About) -> Result<(), ComparisonError> {
        const TAKE: Statement = Statement::new(include_str!("comparison/take_charges.sql"));
        let (begin, end) = about.instants();
        let mut from = begin.saturating_sub(BESIDE);
        let last = end.saturating_add(BESIDE);
        while from < last {
            let before = from.saturating_add(SLICE);
            let inside = from >= begin && before <= end;
            let (log, operator) = (self.log.0, about.operator);
            self.as_operator(operator, TAKE, move || {
                vec![
                    Box::new(upload.0),
                    Box::new(log),
                    Box::new(operator.0),
                    Box::new(from),
                    Box::new(before),
                    Box::new(inside),
                ]
            })
            .await?;
            from = before;
        }
        Ok(())
    }

    /// What lies there.
    async fn staged(&self, upload: Upload) -> Result<Staged, StoreError> {
        const STAGED: Statement = Statement::new(include_str!("comparison/staged.sql"));
        let row = self.database.query_one(STAGED, &[&upload.0]).await?;
        Ok(Staged {
            lines: row.get(0),
            charges: row.get(1),
        })
    }

    async fn match_lines(&self, upload: Upload, part: i64, of: i64) -> Result<(), StoreError> {
        const MATCH: Statement = Statement::new(include_str!("comparison/match.sql"));
        self.join(MATCH, move || {
            vec![Box::new(upload.0), Box::new(part), Box::new(of)]
        })
        .await?;
        Ok(())
    }

    async fn messages(
        &self,
        upload: Upload,
        about: About,
        part: i64,
        of: i64,
    ) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        const MESSAGES: Statement = Statement::new(include_str!("comparison/messages.sql"));
        self.join(MESSAGES, move || {
            vec![
                Box::new(upload.0),
                Box::new(part),
                Box::new(of),
                Box::new(about.currency.as_str().to_owned()),
                Box::new(most()),
            ]
        })
        .await
    }

    async fn unmatched(
        &self,
        upload: Upload,
        part: i64,
        of: i64,
    ) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        const UNMATCHED: Statement = Statement::new(include_str!("comparison/unmatched.sql"));
        self.join(UNMATCHED, move || {
            vec![
                Box::new(upload.0),
                Box::new(part),
                Box::new(of),
                Box::new(most()),
            ]
        })
        .await
    }

    /// Runs one statement over the tables of a comparison, whose rows nobody has counted.
    async fn join(
        &self,
        statement: Statement,
        parameters: impl Fn() -> Parameters,
    ) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        const WHOLE_SETS: Statement =
            Statement::new(include_str!("comparison/join_whole_sets.sql"));
        self.after(WHOLE_SETS, Vec::new, statement, parameters)
            .await
    }

    /// Runs one statement over the rows of all tenants, seeing which ids this carrier gave to
    /// messages.
    pub(super) async fn as_operator(
        &self,
        operator: OperatorId,
        statement: Statement,
        parameters: impl Fn() -> Parameters,
    ) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        const OPERATOR: Statement = Statement::new(include_str!("comparison/operator.sql"));
        let name = || -> Parameters { vec![Box::new(operator.to_string())] };
        self.after(OPERATOR, name, statement, parameters).await
    }

    /// Runs one statement in a transaction that another one sets up.
    async fn after(
        &self,
        setting: Statement,
        value: impl Fn() -> Parameters,
        statement: Statement,
        parameters: impl Fn() -> Parameters,
    ) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        let ask = || self.ask([(setting, value()), (statement, parameters())]);
        match ask().await {
            Err(error) if is_stale_plan(&error) => ask().await,
            answer => answer,
        }
    }

    /// Runs two statements in one transaction; says what the second found.
    async fn ask(
        &self,
        [(setting, value), (statement, parameters)]: [(Statement, Parameters); 2],
    ) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        self.database
            .transaction(statement.name(), move |transaction| {
                Box::pin(async move {
                    Scope::EveryTenant.enter(transaction).await?;
                    setting.execute(transaction, &borrowed(&value)).await?;
                    statement.query(transaction, &borrowed(&parameters)).await
                })
            })
            .await
    }
}

fn borrowed(parameters: &Parameters) -> Vec<&(dyn ToSql + Sync)> {
    let each = parameters.iter();
    each.map(|one| &**one as &(dyn ToSql + Sync)).collect()
}

impl About {
    /// The first instant of its days, and the first one after them.
    fn instants(self) -> (OffsetDateTime, OffsetDateTime) {
        let begin = |day: Day| day.0.midnight().assume_utc();
        let end = begin(self.to).saturating_add(Duration::DAY);
        (begin(self.from), end)
    }

    /// Its days.
    fn days(self) -> impl Iterator<Item = Day> {
        std::iter::successors(Some(self.from), |day| day.0.next_day().map(Day))
            .take_while(move |day| *day <= self.to)
    }
}

fn most() -> i64 {
    i64::try_from(DIFFERENCES_MAX).unwrap_or(i64::MAX)
}

/// The instants of one day.
fn bounds(day: Day) -> (Timestamp, Timestamp) {
    let begin = day.0.midnight().assume_utc();
    let end = begin.saturating_add(Duration::DAY);
    (
        Timestamp::from_datetime(begin),
        Timestamp::from_datetime(end),
    )
}
