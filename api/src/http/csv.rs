//! Tables as CSV (RFC 4180, UTF-8, with a head line), written by hand into a buffer: a million rows
//! are sent as they are read, and no row is a value of its own.
//!
//! What people wrote is never run by the spreadsheet that opens the file: a text that begins as a
//! formula would, gets an apostrophe before it. Numbers are numbers, a negative one too, because only
//! a number can be written as one.

use std::fmt::Write as _;

use axum::{
    body::Body,
    http::{
        HeaderValue,
        header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use schema::Amount;

/// The media type of every table.
pub const MEDIA_TYPE: &str = "text/csv";

/// With what a spreadsheet takes a cell for a formula, or a part of one.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A piece of a table: whole rows.
#[derive(Debug, Default)]
pub struct Rows {
    text: String,
    /// Whether the row that is being written has a cell already.
    begun: bool,
}

impl Rows {
    /// No rows, with room for so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            text: String::with_capacity(bytes),
            begun: false,
        }
    }

    /// The next cell of the row: a text, whoever wrote it.
    pub fn text(&mut self, text: &str) {
        self.next();
        let formula = text.starts_with(FORMULA);
        let quoted = formula || text.contains(['"', ',', ';', '\n', '\r']);
        if !quoted {
            self.text.push_str(text);
            return;
        }
        self.text.push('"');
        if formula {
            self.text.push('\'');
        }
        for part in text.split_inclusive('"') {
            self.text.push_str(part);
            if part.ends_with('"') {
                self.text.push('"');
            }
        }
        self.text.push('"');
    }

    /// The cell that `write` makes of a value, or one without anything.
    pub fn if_any<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => write(self, value),
            None => self.next(),
        }
    }

    /// A cell that can only hold letters, digits and signs between them: an id or a time.
    pub fn plain(&mut self, value: impl Plain) {
        self.next();
        value.write(&mut self.text);
    }

    /// A cell with a number.
    pub fn number(&mut self, number: impl Into<i64>) {
        self.next();
        // Unwrap safety: a string takes what is written.
        write!(self.text, "{}", number.into()).expect("memory");
    }

    /// A cell with an amount of money, with its six places.
    pub fn amount(&mut self, amount: Amount) {
        self.next();
        // The general formatter of decimals takes several times as long.
        let millionths = amount.decimal().mantissa();
        let (sign, size) = (
            if millionths < 0 { "-" } else { "" },
            millionths.unsigned_abs(),
        );
        let (whole, places) = (size / 1_000_000, size % 1_000_000);
        // Unwrap safety: a string takes what is written.
        write!(self.text, "{sign}{whole}.{places:06}").expect("memory");
    }

    /// A cell that says yes or no.
    pub fn truth(&mut self, truth: bool) {
        self.next();
        self.text.push_str(if truth { "true" } else { "false" });
    }

    /// Ends the row.
    pub fn end(&mut self) {
        self.text.push_str("\r\n");
        self.begun = false;
    }

    fn next(&mut self) {
        if self.begun {
            self.text.push(',');
        }
        self.begun = true;
    }
}

impl From<Rows> for Bytes {
    fn from(rows: Rows) -> Self {
        rows.text.into()
    }
}

/// What never begins as a formula does and never needs quotes.
pub trait Plain {
    /// Writes it.
    fn write(self, text: &mut String);
}

impl Plain for uuid::Uuid {
    fn write(self, text: &mut String) {
        let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
        text.push_str(self.hyphenated().encode_lower(&mut buffer));
    }
}

impl Plain for schema::Timestamp {
    fn write(self, text: &mut String) {
        // Unwrap safety: a string takes what is written.
        write!(text, "{self}").expect("memory");
    }
}

/// A table on its way: its rows come as the caller takes them.
#[derive(Debug)]
pub struct Csv {
    /// What the caller's file is called.
    pub name: &'static str,
    /// The table.
    pub body: Body,
}

impl IntoResponse for Csv {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.body);
        let headers = response.headers_mut();
        let kind = "text/csv; charset=utf-8; header=present";
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let file = format!("attachment; filename=\"{}\"", self.name);
        // Unwrap safety: names of tables are plain letters.
        let file = HeaderValue::try_from(file).expect("a file name of ours");
        headers.insert(CONTENT_DISPOSITION, file);
        response
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn cell(text: &str) -> String {
        let mut rows = Rows::default();
        rows.text(text);
        rows.text
    }

    #[test]
    fn what_somebody_wrote_is_never_run() {
        for (hostile, harmless) in [
            ("=cmd|' /C calc'!A0", "\"'=cmd|' /C calc'!A0\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+1+1", "\"'+1+1\""),
            ("-2+3", "\"'-2+3\""),
            ("@SUM(A1)", "\"'@SUM(A1)\""),
            ("\t=1", "\"'\t=1\""),
            ("\r=1", "\"'\r=1\""),
            ("a\n=1", "\"a\n=1\""),
            ("a;=1", "\"a;=1\""),
            ("a,=1", "\"a,=1\""),
            ("\"=1", "\"\"\"=1\""),
        ] {
            assert_eq!(cell(hostile), harmless);
        }
        assert_eq!(cell("Example GmbH"), "Example GmbH");
    }

    #[test]
    fn numbers_stay_numbers() {
        let mut rows = Rows::default();
        rows.amount(Amount::from_millionths(-15_000));
        rows.number(-3);
        rows.number(i16::MAX);
        rows.if_any(None, Rows::amount);
        rows.truth(true);
        rows.plain(Uuid::nil());
        rows.end();
        for amount in ["0", "0.000001", "-1.5", "79228162514264337593543.950335"] {
            let amount = amount
                .parse()
                .ok()
                .and_then(Amount::new)
                .expect("an amount");
            let mut one = Rows::default();
            one.amount(amount);
            assert_eq!(one.text, amount.to_string());
        }
        rows.amount(Amount::ZERO);
        rows.end();
        let text = "-0.015000,-3,32767,,true,00000000-0000-0000-0000-000000000000\r\n0.000000\r\n";
        assert_eq!(rows.text, text);
    }
}
