//! Where personal data of the traffic would be readable.
//!
//! Every phone number of the traffic has fourteen digits and begins with 999; every metadata and
//! raw payload holds a mark. Neither occurs by chance in an id, a time or sealed text.

use super::{Invariant, findings::Findings};
use crate::traffic::{PHONE_PREFIX, PRIVATE_MARK};

/// Digits of a phone number after its prefix.
const REST: usize = 11;

/// A text column with rows that show personal data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leak {
    pub(super) table: String,
    pub(super) column: String,
    pub(super) rows: i64,
}

/// Whether `text` shows a phone number or a mark of the traffic.
pub(super) fn shows_private(text: &str) -> bool {
    let number = |at: usize| {
        let rest = text.as_bytes()[at + PHONE_PREFIX.len()..].iter().take(REST);
        rest.filter(|byte| byte.is_ascii_digit()).count() == REST
    };
    text.contains(PRIVATE_MARK) || text.match_indices(PHONE_PREFIX).any(|(at, _)| number(at))
}

/// The same as a condition in SQL on `column`, cheap for rows that show nothing.
pub(super) fn shows_private_sql(column: &str) -> String {
    format!(
        "(({column}::text LIKE '%{PHONE_PREFIX}%' \
          AND {column}::text ~ '{PHONE_PREFIX}[0-9]{{{REST}}}') \
         OR {column}::text LIKE '%{PRIVATE_MARK}%')"
    )
}

pub(super) fn check(leaks: &[Leak], findings: &mut Findings) {
    for Leak {
        table,
        column,
        rows,
    } in leaks
    {
        findings.hold(Invariant::NoPersonalDataInClear, *rows == 0, || {
            format!("{rows} rows of {table}.{column}")
        });
    }
}
