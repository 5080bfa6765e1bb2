//! The cells of one line, each read as what its column holds.
//!
//! What is wrong with a cell is kept and the next one is read, so that all is told at once. No cell is
//! repeated in what is said of it.

use std::{borrow::Cow, collections::BTreeSet};

use csv::StringRecord;
use schema::{Currency, OperatorId, Status, TenantId, Timestamp, UnitPrice};

use crate::http::problem::{LineFault, LineRefusal};

/// Where a column is: its name, and the place of its cells in a line.
pub(super) type Place = (&'static str, usize);

/// A value, or what is wrong with its text.
pub(in crate::rest::prices) type Value<T> = Result<T, Cow<'static, str>>;

/// A cell is refused, and what is wrong with it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rest::prices) struct Refused;

/// The cells of a line.
pub(in crate::rest::prices) struct Cells<'a> {
    line: u32,
    record: &'a StringRecord,
    places: &'a [Place],
    /// What was found to be wrong.
    pub(super) refused: Vec<LineRefusal>,
}

impl<'a> Cells<'a> {
    /// Those of `record`; a cell that begins as a formula does is refused whatever it is.
    pub(super) fn new(line: u32, record: &'a StringRecord, places: &'a [Place]) -> Self {
        let mut cells = Self {
            line,
            record,
            places,
            refused: Vec::new(),
        };
        for &(name, place) in places {
            if record.get(place).is_some_and(is_formula) {
                let detail = "begins as a formula does".into();
                cells.refuse(name, LineFault::Formula, detail);
            }
        }
        cells
    }

    /// The value of a cell that must have one.
    ///
    /// # Errors
    /// It is refused.
    pub(in crate::rest::prices) fn needed<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Value<T>,
    ) -> Result<T, Refused> {
        let value = self.optional(name, read)?;
        if value.is_none() {
            self.refuse(name, LineFault::MissingValue, "is needed".into());
        }
        value.ok_or(Refused)
    }

    /// The value of a cell that may be empty.
    ///
    /// # Errors
    /// It is refused.
    pub(in crate::rest::prices) fn optional<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&str) -> Value<T>,
    ) -> Result<Option<T>, Refused> {
        let mut places = self.places.iter();
        let place = places.find(|(known, _)| *known == name);
        let text = place.and_then(|(_, place)| self.record.get(*place));
        match text.unwrap_or_default() {
            "" => Ok(None),
            text if is_formula(text) => Err(Refused),
            text => match read(text) {
                Ok(value) => Ok(Some(value)),
                Err(detail) => {
                    self.refuse(name, LineFault::InvalidValue, detail);
                    Err(Refused)
                }
            },
        }
    }

    fn refuse(&mut self, column: &'static str, reason: LineFault, detail: Cow<'static, str>) {
        self.refused.push(LineRefusal {
            line: self.line,
            column: Some(column),
            reason,
            detail,
        });
    }
}

/// Whether a spreadsheet would carry out what stands there. A number below zero is none.
fn is_formula(text: &str) -> bool {
    let mut letters = text.chars();
    match letters.next() {
        Some('=' | '+' | '@') => true,
        Some('-') => !letters.all(|letter| letter.is_ascii_digit() || letter == '.'),
        _ => false,
    }
}

/// One of a few words.
pub(in crate::rest::prices) fn word<T: Copy>(
    all: &'static [T],
    parse: fn(&str) -> Option<T>,
    as_str: fn(T) -> &'static str,
) -> impl Fn(&str) -> Value<T> {
    move |text| {
        parse(text).ok_or_else(|| {
            let words: Vec<_> = all.iter().map(|word| as_str(*word)).collect();
            format!("must be one of {}", words.join(", ")).into()
        })
    }
}

/// A carrier.
pub(in crate::rest::prices) fn operator(text: &str) -> Value<OperatorId> {
    OperatorId::parse(text).ok_or(Cow::Borrowed(NO_ID))
}

/// A tenant.
pub(in crate::rest::prices) fn tenant(text: &str) -> Value<TenantId> {
    TenantId::parse(text).ok_or(Cow::Borrowed(NO_ID))
}

const NO_ID: &str = "must be a UUID that is not nil";

/// A price of one.
pub(in crate::rest::prices) fn unit_price(text: &str) -> Value<UnitPrice> {
    text.parse::<UnitPrice>()
        .map_err(|error| error.to_string().into())
}

/// A currency.
pub(in crate::rest::prices) fn currency(text: &str) -> Value<Currency> {
    Currency::parse(text).ok_or(Cow::Borrowed("must be a currency code of ISO 4217"))
}

/// Final statuses, each once, separated by spaces or `|`.
pub(in crate::rest::prices) fn status_list(text: &str) -> Value<BTreeSet<Status>> {
    let words = || text.split([' ', '|']).filter(|word| !word.is_empty());
    let statuses: Option<BTreeSet<_>> = words().map(Status::parse).collect();
    statuses
        .filter(|all| all.iter().all(|status| status.is_final()) && all.len() == words().count())
        .ok_or(Cow::Borrowed(
            "must be final statuses, each once, separated by spaces or |",
        ))
}

/// A moment, or the midnight (UTC) that a date begins with.
pub(super) fn dated(text: &str) -> Value<Timestamp> {
    let midnight = format!("{text}T00:00:00Z");
    let whole = if text.len() == "2027-01-01".len() {
        &midnight
    } else {
        text
    };
    let wrong = "must be RFC 3339 with an offset, or a date";
    Timestamp::parse(whole).ok_or(Cow::Borrowed(wrong))
}

#[cfg(test)]
mod tests;
