//! What a comparison shows, gathered from its parts.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use schema::{
    Amount, Currency, MessageId, OperatorMessageId, Status,
    event::{Difference, DifferenceClass, Figures, MoneySum, SideSums, StatementSums},
};
use tokio_postgres::Row;

use super::DIFFERENCES_MAX;
use crate::{ReadError, read::Cells};

const TABLE: &str = "billing.operator_statement_lines";

/// Sums and first differences of each class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    currency: Currency,
    sums: BTreeMap<DifferenceClass, (SideSums, SideSums)>,
    differences: BTreeMap<DifferenceClass, Vec<Difference>>,
}

impl Found {
    /// Nothing yet; `currency` is the statement's.
    pub(super) fn new(currency: Currency) -> Self {
        Self {
            currency,
            sums: BTreeMap::new(),
            differences: BTreeMap::new(),
        }
    }

    /// Adds what a part showed.
    pub(super) fn add(&mut self, rows: &[Row]) -> Result<(), ReadError> {
        for row in rows {
            let class = Cells::new(TABLE, row, "?").word("class", DifferenceClass::parse)?;
            let cells = Cells::new(TABLE, row, class.as_str());
            if cells.get("is_sum")? {
                let (theirs, ours) = self.sums.entry(class).or_default();
                add(theirs, side(&cells, &THEIRS, Some(self.currency))?);
                add(ours, side(&cells, &OURS, our_currency(&cells)?)?);
            } else {
                let difference = self.difference(&cells, class)?;
                self.differences.entry(class).or_default().push(difference);
            }
        }
        Ok(())
    }

    /// Adds one thing to its class; of those that differ the first are kept.
    pub(super) fn put(&mut self, difference: Difference) {
        let class = difference.class;
        let (theirs, ours) = self.sums.entry(class).or_default();
        for (sums, figures) in [(theirs, &difference.theirs), (ours, &difference.ours)] {
            if let Some(figures) = figures {
                let Figures {
                    messages,
                    segments,
                    costs,
                    ..
                } = figures.clone();
                add(
                    sums,
                    SideSums {
                        messages,
                        segments,
                        costs,
                    },
                );
            }
        }
        if class != DifferenceClass::Agreeing {
            self.differences.entry(class).or_default().push(difference);
        }
    }

    /// The sums of each class, every class once, and the first differences of each.
    #[must_use]
    pub fn told(mut self) -> (Vec<StatementSums>, Vec<Difference>) {
        let sums = DifferenceClass::ALL.map(|class| {
            let (theirs, ours) = self.sums.remove(&class).unwrap_or_default();
            StatementSums {
                class,
                theirs,
                ours,
            }
        });
        let mut told = Vec::new();
        for mut differences in self.differences.into_values() {
            differences.sort_by_key(|one| (one.line.unwrap_or(u32::MAX), one.message_id, one.day));
            differences.truncate(DIFFERENCES_MAX);
            told.extend(differences);
        }
        (sums.into(), told)
    }

    fn difference(
        &self,
        cells: &Cells<'_, &'static str>,
        class: DifferenceClass,
    ) -> Result<Difference, ReadError> {
        let line: Option<i32> = cells.get("line")?;
        let id: Option<&str> = cells.get("operator_message_id")?;
        let message: Option<uuid::Uuid> = cells.get("message_id")?;
        Ok(Difference {
            class,
            line: line.and_then(|line| u32::try_from(line).ok()),
            operator_message_id: id.and_then(OperatorMessageId::new),
            message_id: message.map(MessageId),
            day: None,
            theirs: figures(cells, &THEIRS, Some(self.currency))?,
            ours: figures(cells, &OURS, our_currency(cells)?)?,
        })
    }
}

/// The columns of one side.
struct Columns {
    status: &'static str,
    messages: &'static str,
    segments: &'static str,
    cost: &'static str,
}

const THEIRS: Columns = Columns {
    status: "their_status",
    messages: "their_messages",
    segments: "their_segments",
    cost: "their_cost",
};
const OURS: Columns = Columns {
    status: "our_status",
    messages: "our_messages",
    segments: "our_segments",
    cost: "our_cost",
};

fn our_currency(cells: &Cells<'_, &'static str>) -> Result<Option<Currency>, ReadError> {
    cells.word_if_any("our_currency", Currency::parse)
}

fn side(
    cells: &Cells<'_, &'static str>,
    columns: &Columns,
    currency: Option<Currency>,
) -> Result<SideSums, ReadError> {
    let cost: Option<Decimal> = cells.get(columns.cost)?;
    let segments: Option<i64> = cells.get(columns.segments)?;
    let mut costs = Vec::new();
    if let (Some(cost), Some(currency)) = (cost, currency) {
        let amount = cells.known(columns.cost, Amount::new(cost))?;
        costs.push(MoneySum { currency, amount });
    }
    Ok(SideSums {
        messages: cells.get(columns.messages)?,
        segments: segments.unwrap_or_default(),
        costs,
    })
}

fn figures(
    cells: &Cells<'_, &'static str>,
    columns: &Columns,
    currency: Option<Currency>,
) -> Result<Option<Figures>, ReadError> {
    let Some(status) = cells.word_if_any(columns.status, Status::parse)? else {
        return Ok(None);
    };
    let SideSums {
        messages,
        segments,
        costs,
    } = side(cells, columns, currency)?;
    Ok(Some(Figures {
        status,
        messages,
        segments,
        costs,
    }))
}

/// Adds sums to sums, currency by currency.
fn add(sums: &mut SideSums, more: SideSums) {
    sums.messages += more.messages;
    sums.segments += more.segments;
    for one in more.costs {
        let known = sums.costs.iter_mut();
        match known.into_iter().find(|sum| sum.currency == one.currency) {
            Some(sum) => sum.amount = sum.amount + one.amount,
            None => sums.costs.push(one),
        }
    }
    sums.costs
        .sort_by(|one, other| one.currency.as_str().cmp(other.currency.as_str()));
}
