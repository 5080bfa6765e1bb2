//! What a bench has measured, for people and for machines.

use std::{fmt, io::Write as _};

use serde_json::{Map, Number, Value};

use crate::world::Fault;

/// A figure, exact to a thousandth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Figure {
    thousandths: u64,
}

impl Figure {
    pub(super) const fn whole(units: u64) -> Self {
        Self::thousandths(units.saturating_mul(1_000))
    }

    pub(super) const fn thousandths(thousandths: u64) -> Self {
        Self { thousandths }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (units, rest) = (self.thousandths / 1_000, self.thousandths % 1_000);
        let text = if rest == 0 {
            units.to_string()
        } else {
            format!("{units}.{rest:03}")
                .trim_end_matches('0')
                .to_owned()
        };
        f.pad(&text)
    }
}

/// What a figure should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bar {
    /// At least so many hundredths of another figure of the same run.
    Share {
        percent: u64,
        of: u64,
    },
    AtMost(u64),
}

impl Bar {
    /// At least `percent` hundredths of `of`, as a rule the floor. Always met where `of` was not
    /// measured and is 0.
    pub(super) const fn share(percent: u64, of: u64) -> Self {
        Self::Share { percent, of }
    }

    fn is_met(self, figure: Figure) -> bool {
        match self {
            Self::Share { percent, of } => figure >= Figure::thousandths(of * percent * 10),
            Self::AtMost(bar) => figure <= Figure::whole(bar),
        }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share { percent, of } => f.pad(&format!("≥ {percent} % of {of}")),
            Self::AtMost(bar) => f.pad(&format!("≤ {bar}")),
        }
    }
}

/// All figures of a bench, in the order they are shown.
#[derive(Debug, Default)]
pub(super) struct Report {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    key: String,
    figure: Figure,
    bars: Vec<Bar>,
}

impl Report {
    /// A figure without a bar.
    pub(super) fn tell(&mut self, key: impl Into<String>, figure: Figure) {
        self.held_to(key, figure, &[]);
    }

    /// A figure with its bars.
    pub(super) fn held_to(&mut self, key: impl Into<String>, figure: Figure, bars: &[Bar]) {
        self.rows.push(Row {
            key: key.into(),
            figure,
            bars: bars.to_vec(),
        });
    }

    /// Prints the table, and with `json` one object as the last line of stdout (the table then
    /// goes to stderr).
    pub(super) fn print(&self, title: &str, json: bool) -> Result<(), Fault> {
        let table = self.table(title);
        let mut out = std::io::stdout().lock();
        if json {
            eprint!("{table}");
            writeln!(out, "{}", self.json())?;
        } else {
            write!(out, "{table}")?;
        }
        Ok(())
    }

    fn table(&self, title: &str) -> String {
        let rows = self.rows.iter().map(|row| {
            let bars = row.bars.iter().map(|bar| {
                let met = bar.is_met(row.figure);
                format!("  {bar} {}", if met { "ok" } else { "MISSED" })
            });
            let Row { key, figure, .. } = row;
            format!("  {key:<36} {figure:>11}{}\n", bars.collect::<String>())
        });
        format!("\n{title}\n\n{}", rows.collect::<String>())
    }

    fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            // Unwrap safety: digits with at most one point between them are a JSON number.
            let number: Number = row.figure.to_string().parse().expect("a number");
            (row.key.clone(), Value::Number(number))
        });
        Value::Object(rows.collect::<Map<_, _>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_json_numbers() {
        let mut report = Report::default();
        report.tell("a_per_s", Figure::whole(40_000));
        report.held_to("b_ms", Figure::thousandths(12_340), &[Bar::AtMost(12)]);
        assert_eq!(
            report.json().to_string(),
            r#"{"a_per_s":40000,"b_ms":12.34}"#
        );
        let table = report.table("bench");
        assert!(table.contains("12.34  ≤ 12 MISSED"), "{table}");
    }

    #[test]
    fn a_share_is_met_from_its_hundredths_on() {
        let mut report = Report::default();
        for rate in [664, 665] {
            report.held_to("a_per_s", Figure::whole(rate), &[Bar::share(66, 1_007)]);
        }
        let table = report.table("bench");
        assert!(table.contains("664  ≥ 66 % of 1007 MISSED"), "{table}");
        assert!(table.contains("665  ≥ 66 % of 1007 ok"), "{table}");
    }
}
