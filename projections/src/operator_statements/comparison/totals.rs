//! Statements of totals: a line per day and status.

use std::collections::BTreeMap;

use eventstore::postgres::Statement;
use rust_decimal::Decimal;
use schema::{
    Amount, Currency, Day, Status,
    event::{Difference, DifferenceClass, Figures, MoneySum},
};
use tokio_postgres::Row;

use super::{About, ComparisonError, Comparisons, Found, bounds};
use crate::{ReadError, read::Cells};

const TABLE: &str = "billing.billing_events";

/// What the carrier says of each day and status; several lines of one are summed up.
#[derive(Debug, Clone, Default)]
pub struct DayLines(BTreeMap<(Day, Status), Theirs>);

/// One line of a statement of totals.
#[derive(Debug, Clone, Copy)]
pub struct DayLine {
    /// Its number.
    pub line: u32,
    /// The day.
    pub day: Day,
    /// What the carrier's word means.
    pub status: Status,
    /// Messages.
    pub messages: i64,
    /// Their SMS segments.
    pub segments: i64,
    /// What the carrier takes for them, if it says so.
    pub cost: Option<Amount>,
}

#[derive(Debug, Clone, Copy)]
struct Theirs {
    line: u32,
    messages: i64,
    segments: i64,
    /// None where a line says none.
    cost: Option<Amount>,
}

/// What is recorded of a day and status.
#[derive(Debug, Clone, Default)]
struct Ours {
    messages: i64,
    segments: i64,
    costs: Vec<MoneySum>,
    /// Whether the cost of some message is not known.
    missing: bool,
}

impl DayLines {
    /// Adds a line.
    pub fn add(&mut self, line: DayLine) {
        let theirs = Theirs {
            line: line.line,
            messages: line.messages,
            segments: line.segments,
            cost: line.cost,
        };
        self.0
            .entry((line.day, line.status))
            .and_modify(|known| {
                known.messages += theirs.messages;
                known.segments += theirs.segments;
                known.cost = known.cost.zip(theirs.cost).map(|(one, more)| one + more);
            })
            .or_insert(theirs);
    }
}

impl Comparisons {
    /// Compares totals with what is recorded.
    ///
    /// # Errors
    /// See [`ComparisonError`].
    pub async fn compare_days(
        &self,
        about: About,
        mut lines: DayLines,
    ) -> Result<Found, ComparisonError> {
        let mut found = Found::new(about.currency);
        for day in about.days() {
            let mut ours = self.recorded(about, day).await?;
            for status in Status::ALL {
                let theirs = lines.0.remove(&(day, status));
                let ours = ours.remove(&status);
                if let Some(difference) = compared(about.currency, (day, status), theirs, ours) {
                    found.put(difference);
                }
            }
        }
        Ok(found)
    }

    async fn recorded(
        &self,
        about: About,
        day: Day,
    ) -> Result<BTreeMap<Status, Ours>, ComparisonError> {
        const TOTALS: Statement = Statement::new(include_str!("totals/totals.sql"));
        let (log, operator) = (self.log.0, about.operator);
        let (from, before) = bounds(day);
        let rows = self.as_operator(operator, TOTALS, move || {
            vec![
                Box::new(log),
                Box::new(operator.0),
                Box::new(from.datetime()),
                Box::new(before.datetime()),
            ]
        });
        let mut ours = BTreeMap::<Status, Ours>::new();
        for row in rows.await? {
            read(&row, &mut ours)?;
        }
        Ok(ours)
    }
}

fn read(row: &Row, ours: &mut BTreeMap<Status, Ours>) -> Result<(), ReadError> {
    let cells = Cells::new(TABLE, row, "a day");
    let ours = ours
        .entry(cells.word("status", Status::parse)?)
        .or_default();
    ours.messages += cells.get::<i64>("messages")?;
    ours.segments += cells.get::<i64>("segments")?;
    let cost: Option<Decimal> = cells.get("cost")?;
    match cells.word_if_any("currency", Currency::parse)?.zip(cost) {
        None => ours.missing = true,
        Some((currency, cost)) => {
            let amount = cells.known("cost", Amount::new(cost))?;
            ours.costs.push(MoneySum { currency, amount });
            ours.costs
                .sort_by(|one, other| one.currency.as_str().cmp(other.currency.as_str()));
        }
    }
    Ok(())
}

/// How a day and status stand on both sides; nothing where neither knows of a message.
fn compared(
    currency: Currency,
    (day, status): (Day, Status),
    theirs: Option<Theirs>,
    ours: Option<Ours>,
) -> Option<Difference> {
    let theirs = theirs.filter(|theirs| theirs.messages > 0);
    let class = match (&theirs, &ours) {
        (None, None) => return None,
        (Some(_), None) => DifferenceClass::OnlyTheirs,
        (None, Some(_)) => DifferenceClass::OnlyOurs,
        (Some(theirs), Some(ours)) => class(currency, theirs, ours),
    };
    Some(Difference {
        class,
        line: theirs.map(|theirs| theirs.line),
        operator_message_id: None,
        message_id: None,
        day: Some(day),
        theirs: theirs.map(|theirs| Figures {
            status,
            messages: theirs.messages,
            segments: theirs.segments,
            costs: theirs
                .cost
                .map(|amount| MoneySum { currency, amount })
                .into_iter()
                .collect(),
        }),
        ours: ours.map(|ours| Figures {
            status,
            messages: ours.messages,
            segments: ours.segments,
            costs: ours.costs,
        }),
    })
}

fn class(currency: Currency, theirs: &Theirs, ours: &Ours) -> DifferenceClass {
    let costs_agree = theirs.cost.is_none_or(|amount| {
        let only = [MoneySum { currency, amount }];
        !ours.missing && ours.costs == only
    });
    match () {
        () if theirs.messages != ours.messages => DifferenceClass::OtherCount,
        () if theirs.segments != ours.segments => DifferenceClass::OtherSegments,
        () if !costs_agree => DifferenceClass::OtherCost,
        () => DifferenceClass::Agreeing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur() -> Currency {
        Currency::parse("EUR").expect("exists")
    }

    fn amount(millionths: i64) -> Amount {
        Amount::from_millionths(millionths)
    }

    fn line(line: u32, messages: i64, cost: Option<i64>) -> DayLine {
        DayLine {
            line,
            day: Day::parse("2026-03-01").expect("a day"),
            status: Status::Delivered,
            messages,
            segments: 2 * messages,
            cost: cost.map(amount),
        }
    }

    fn ours(messages: i64, cost: i64) -> Ours {
        let amount = amount(cost);
        Ours {
            messages,
            segments: 2 * messages,
            costs: vec![MoneySum {
                currency: eur(),
                amount,
            }],
            missing: false,
        }
    }

    fn compare(lines: &[DayLine], ours: Option<Ours>) -> Option<Difference> {
        let mut all = DayLines::default();
        for line in lines {
            all.add(*line);
        }
        let of = (Day::parse("2026-03-01").expect("a day"), Status::Delivered);
        let theirs = all.0.remove(&of);
        compared(eur(), of, theirs, ours)
    }

    #[test]
    fn lines_of_one_day_and_status_are_summed_up() {
        let lines = [line(2, 3, Some(30)), line(5, 4, Some(40))];
        let found = compare(&lines, Some(ours(7, 70))).expect("compared");
        assert_eq!(found.class, DifferenceClass::Agreeing);
        assert_eq!(found.line, Some(2));
    }

    #[test]
    fn a_day_differs_by_count_before_segments_before_cost() {
        let class = |lines: &[DayLine], ours| compare(lines, ours).map(|found| found.class);
        let mut more = line(2, 3, Some(30));
        more.segments += 1;
        for (lines, ours, due) in [
            (
                vec![line(2, 4, Some(30))],
                Some(ours(3, 30)),
                DifferenceClass::OtherCount,
            ),
            (
                vec![more],
                Some(ours(3, 31)),
                DifferenceClass::OtherSegments,
            ),
            (
                vec![line(2, 3, Some(31))],
                Some(ours(3, 30)),
                DifferenceClass::OtherCost,
            ),
            (
                vec![line(2, 3, None)],
                Some(ours(3, 30)),
                DifferenceClass::Agreeing,
            ),
            (
                vec![line(2, 3, Some(30))],
                None,
                DifferenceClass::OnlyTheirs,
            ),
            (vec![], Some(ours(3, 30)), DifferenceClass::OnlyOurs),
            (
                vec![line(2, 0, Some(0))],
                Some(ours(3, 30)),
                DifferenceClass::OnlyOurs,
            ),
        ] {
            assert_eq!(class(&lines, ours), Some(due), "{lines:?}");
        }
        assert_eq!(class(&[], None), None);
    }

    #[test]
    fn a_cost_that_we_do_not_know_or_have_in_another_currency_is_another_cost() {
        let mut unknown = ours(3, 30);
        unknown.missing = true;
        let mut foreign = ours(3, 30);
        foreign.costs[0].currency = Currency::parse("USD").expect("exists");
        for ours in [unknown, foreign] {
            let found = compare(&[line(2, 3, Some(30))], Some(ours)).expect("compared");
            assert_eq!(found.class, DifferenceClass::OtherCost);
        }
    }
}
