//! Where personal data of the traffic would be readable.
//!
//! Every phone number of the traffic has fourteen digits and begins with 999; every metadata and
//! raw payload holds a mark. Digits within a longer run of hexadecimal ones (an id, a trace) are
//! not a number.

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
    let bytes = text.as_bytes();
    let number = |at: usize| {
        let end = at + PHONE_PREFIX.len() + REST;
        let digits = bytes
            .get(at..end)
            .is_some_and(|run| run.iter().all(u8::is_ascii_digit));
        let hex = |at: Option<usize>| {
            at.and_then(|at| bytes.get(at))
                .is_some_and(u8::is_ascii_hexdigit)
        };
        digits && !hex(at.checked_sub(1)) && !hex(Some(end))
    };
    text.contains(PRIVATE_MARK) || text.match_indices(PHONE_PREFIX).any(|(at, _)| number(at))
}

/// The same as a condition in SQL on `column`, cheap for rows that show nothing.
pub(super) fn shows_private_sql(column: &str) -> String {
    format!(
        "(({column}::text LIKE '%{PHONE_PREFIX}%' \
          AND {column}::text ~* '(^|[^0-9a-f]){PHONE_PREFIX}[0-9]{{{REST}}}([^0-9a-f]|$)') \
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
