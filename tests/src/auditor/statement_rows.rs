//! Holds `billing.operator_statements` to the comparisons that the log tells of.

use std::collections::HashMap;

use tokio_postgres::Client;

use super::{
    Invariant,
    facts::{Body, Log},
    findings::Findings,
    load::{LOG_ID, Result, each},
    statement_facts::Compared,
};

/// One row of `billing.operator_statements`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StatementRow {
    position: i64,
    /// As the table has it; none if that is not understood.
    compared: Option<Compared>,
}

/// The rows that are due, by position, and whether they have come.
pub(super) struct Due<'a>(HashMap<i64, (&'a Compared, bool)>);

impl<'a> Due<'a> {
    pub(super) fn new(log: &'a Log) -> Self {
        let due = log.events.iter().filter_map(|event| match &event.body {
            Body::Compared(compared) => Some((event.position, (&**compared, false))),
            _ => None,
        });
        Self(due.collect())
    }

    pub(super) fn row(&mut self, row: &StatementRow, findings: &mut Findings) {
        let (invariant, position) = (Invariant::StatementRowsMatchLog, row.position);
        let what = || format!("billing.operator_statements, position {position}");
        match self.0.get_mut(&position) {
            None => findings.wrong(invariant, what),
            Some((_, true)) => findings.doubled(invariant, what),
            Some((due, come)) => {
                *come = true;
                findings.hold(invariant, row.compared.as_ref() == Some(*due), what);
            }
        }
    }

    pub(super) fn end(&self, findings: &mut Findings) {
        for (position, _) in self.0.iter().filter(|(_, (_, come))| !come) {
            findings.lost(Invariant::StatementRowsMatchLog, || {
                format!("billing.operator_statements, position {position}")
            });
        }
    }
}

/// Hands over every row of `billing.operator_statements`.
pub(super) async fn rows(client: &Client, mut see: impl FnMut(StatementRow)) -> Result<()> {
    let sql = include_str!("statements.sql");
    each(client, "the statements", sql, &[&LOG_ID], |row| {
        let (sums, differences): (&str, &str) = (row.try_get(9)?, row.try_get(10)?);
        let read = serde_json::from_str(sums).ok();
        let read = read.zip(serde_json::from_str(differences).ok());
        let mut compared = Compared {
            statement_id: row.try_get(1)?,
            operator_id: row.try_get(2)?,
            from: row.try_get(3)?,
            to: row.try_get(4)?,
            currency: row.try_get(5)?,
            content: row.try_get(6)?,
            sha256: row.try_get(7)?,
            lines: row.try_get(8)?,
            sums: Vec::new(),
            differences: Vec::new(),
        };
        see(StatementRow {
            position: row.try_get(0)?,
            compared: read.map(|(sums, differences)| {
                (compared.sums, compared.differences) = (sums, differences);
                compared
            }),
        });
        Ok(())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_table_of_statements_is_noticed() {
        let stored = include_str!("../../../schema/golden/OperatorStatementCompared/v1.json");
        let compared: Compared = serde_json::from_str(stored).expect("readable");
        let row = |compared: &Compared| StatementRow {
            position: 5,
            compared: Some(compared.clone()),
        };
        let found = |rows: &[StatementRow]| {
            let mut due = Due([(5, (&compared, false))].into());
            let mut findings = Findings::default();
            for row in rows {
                due.row(row, &mut findings);
            }
            due.end(&mut findings);
            findings.kept.len()
        };
        assert_eq!(found(&[row(&compared)]), 0);
        let mut other = compared.clone();
        other.sums[0].theirs.segments += 1;
        let mut elsewhere = row(&compared);
        elsewhere.position = 6;
        for wrong in [
            vec![],
            vec![row(&other)],
            vec![row(&compared), row(&compared)],
            vec![row(&compared), elsewhere],
        ] {
            assert_eq!(found(&wrong), 1, "{wrong:?}");
        }
    }
}
