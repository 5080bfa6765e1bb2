//! A statement: the text of one file, known by the name on the file's first line.
//!
//! This is the one place where a statement is prepared, where its error gets its name, and where
//! its duration and its faults are counted. Every statement of a service is one of these; it must
//! never hold a value, and the text must never be put together at run time.

use std::{future::Future, sync::LazyLock, time::Instant};

use deadpool_postgres::GenericClient;
use futures::TryStreamExt as _;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::{Registry, Unit},
};
use tokio_postgres::{Row, types::ToSql};

use crate::StoreError;

/// What our functions in Postgres say when the log is not the one that was read.
const REPLACED: &str = "TBLOG";

/// What a statement is asked with, `$1` first.
pub type Parameters<'a> = [&'a (dyn ToSql + Sync)];

/// One statement. Its file begins `-- name: what it does`, the name in lower case and `_`; no two
/// files have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    name: &'static str,
    sql: &'static str,
}

impl Statement {
    /// The statement in a file: `const FIND: Statement = Statement::new(include_str!("find.sql"))`.
    ///
    /// # Panics
    /// The first line does not begin with `-- ` and a name. In a constant that does not compile.
    #[must_use]
    pub const fn new(sql: &'static str) -> Self {
        let bytes = sql.as_bytes();
        let begins = bytes.len() > 4 && bytes[0] == b'-' && bytes[1] == b'-' && bytes[2] == b' ';
        assert!(begins, "line 1 begins with two hyphens and a space");
        let mut end = 3;
        while matches!(bytes[end], b'a'..=b'z' | b'_') {
            end += 1;
        }
        assert!(
            end > 3 && bytes[end] == b':',
            "line 1 says `-- name: meaning`"
        );
        let (head, _) = sql.split_at(end);
        let (_, name) = head.split_at(3);
        Self { name, sql }
    }

    /// What it is called in errors, logs and metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its whole text, as Postgres is given it.
    #[must_use]
    pub const fn sql(&self) -> &'static str {
        self.sql
    }

    /// Names this statement in what Postgres, or a row of its answer, says is wrong.
    pub fn failed(self) -> impl FnOnce(tokio_postgres::Error) -> StoreError + Copy {
        let operation = self.name;
        move |source| match source.code() {
            Some(code) if code.code() == REPLACED => StoreError::Replaced { operation },
            _ => StoreError::Postgres { operation, source },
        }
    }

    /// The rows that it answers with.
    ///
    /// # Errors
    /// A fault of Postgres.
    pub async fn query(
        self,
        client: &impl GenericClient,
        parameters: &Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        self.observed(self.rows(client, parameters)).await
    }

    /// The one row that it answers with.
    ///
    /// # Errors
    /// A fault of Postgres, or there is another number of rows.
    pub async fn query_one(
        self,
        client: &impl GenericClient,
        parameters: &Parameters<'_>,
    ) -> Result<Row, StoreError> {
        self.one(self.query(client, parameters).await?)
    }

    /// Runs it for what it does.
    ///
    /// # Errors
    /// A fault of Postgres.
    pub async fn execute(
        self,
        client: &impl GenericClient,
        parameters: &Parameters<'_>,
    ) -> Result<(), StoreError> {
        let failed = self.failed();
        let executing = async {
            let prepared = client.prepare_cached(self.sql).await.map_err(failed)?;
            let count = client.execute(&prepared, parameters).await;
            count.map_err(failed)
        };
        self.observed(executing).await?;
        Ok(())
    }

    /// What `read` makes of each row. Rows are read as they come: Postgres prepares the next ones
    /// meanwhile.
    ///
    /// # Errors
    /// A fault of Postgres.
    pub async fn read_each<T>(
        self,
        client: &impl GenericClient,
        parameters: &Parameters<'_>,
        read: impl Fn(&Row) -> T,
    ) -> Result<Vec<T>, StoreError> {
        let failed = self.failed();
        let parameters = parameters.iter().map(|one| *one as &dyn ToSql);
        let reading = async {
            let prepared = client.prepare_cached(self.sql).await.map_err(failed)?;
            let rows = client.query_raw(&prepared, parameters).await;
            let mut rows = std::pin::pin!(rows.map_err(failed)?);
            let mut answers = Vec::new();
            while let Some(row) = rows.try_next().await.map_err(failed)? {
                answers.push(read(&row));
            }
            Ok(answers)
        };
        self.observed(reading).await
    }

    /// Runs a file of several statements that take no parameters, in one round trip and without
    /// preparing them.
    ///
    /// # Errors
    /// A fault of Postgres.
    pub async fn batch_execute(self, client: &impl GenericClient) -> Result<(), StoreError> {
        let failed = self.failed();
        let executing = async { client.batch_execute(self.sql).await.map_err(failed) };
        self.observed(executing).await
    }

    /// The rows, not counted: for whoever counts more than the asking.
    pub(super) async fn rows(
        self,
        client: &impl GenericClient,
        parameters: &Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        let failed = self.failed();
        let prepared = client.prepare_cached(self.sql).await.map_err(failed)?;
        let rows = client.query(&prepared, parameters).await;
        rows.map_err(failed)
    }

    /// The only row of `rows`.
    pub(super) fn one(self, rows: Vec<Row>) -> Result<Row, StoreError> {
        let count = rows.len();
        let mut rows = rows.into_iter();
        match (rows.next(), count) {
            (Some(row), 1) => Ok(row),
            _ => Err(StoreError::Rows {
                operation: self.name,
                count,
            }),
        }
    }

    /// Counts what `asking` comes to: how long it took, or that it failed.
    pub(super) async fn observed<T>(
        self,
        asking: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let label = Label {
            statement: self.name,
        };
        let began = Instant::now();
        let answer = asking.await;
        match &answer {
            Ok(_) => {
                let took = began.elapsed().as_secs_f64();
                METRICS.seconds.get_or_create(&label).observe(took);
            }
            Err(_) => {
                METRICS.faults.get_or_create(&label).inc();
            }
        }
        answer
    }
}

/// Lets `registry` tell how long the statements of this process took and how often they failed.
pub fn register_statement_metrics(registry: &mut Registry) {
    registry.register_with_unit(
        "postgres_statement_duration",
        "from asking to the last row of the answer",
        Unit::Seconds,
        METRICS.seconds.clone(),
    );
    registry.register(
        "postgres_statement_faults",
        "statements that failed, each try counted",
        METRICS.faults.clone(),
    );
}

/// Of the process: a statement is a constant and knows no registry.
static METRICS: LazyLock<Metrics> = LazyLock::new(|| Metrics {
    seconds: Family::new_with_constructor(|| Histogram::new(BOUNDS)),
    faults: Family::default(),
});

/// Seconds.
const BOUNDS: [f64; 12] = [
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0,
];

struct Metrics {
    seconds: Family<Label, Histogram, fn() -> Histogram>,
    faults: Family<Label, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Label {
    statement: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_the_name_on_the_first_line_of_its_file() {
        let sql = "-- find_name: what it does\n-- No parameters.\nselect 1";
        let statement = Statement::new(sql);
        assert_eq!((statement.name(), statement.sql()), ("find_name", sql));
    }

    #[test]
    #[should_panic(expected = "line 1 says")]
    fn a_file_whose_first_line_is_no_name_makes_no_statement() {
        let _ = Statement::new("-- what it does\n-- No parameters.\nselect 1");
    }

    #[tokio::test]
    async fn what_failed_is_counted_under_its_name_and_has_no_duration() {
        const HERE: Statement = Statement::new("-- counted_here: nothing\n-- Never asked.\n");
        let fault = async {
            Err::<(), _>(StoreError::Overdue {
                operation: HERE.name(),
            })
        };
        HERE.observed(fault).await.expect_err("it says so");
        HERE.observed(async { Ok(()) }).await.expect("it does");
        HERE.observed(async { Ok(()) }).await.expect("it does");
        let mut registry = Registry::default();
        register_statement_metrics(&mut registry);
        let mut told = String::new();
        prometheus_client::encoding::text::encode(&mut told, &registry).expect("encodes");
        for line in [
            "postgres_statement_duration_seconds_count{statement=\"counted_here\"} 2",
            "postgres_statement_faults_total{statement=\"counted_here\"} 1",
        ] {
            assert!(told.contains(line), "{line} is not in\n{told}");
        }
    }
}
