//! What may be told of an error, in a log or on a terminal.
//!
//! Two kinds of errors speak with words that are not ours. Postgres quotes values: the row that
//! breaks a constraint, the text that is no number, whatever a trigger of another team's table puts
//! into its complaint. And a task that panicked hands on the panic's message, which may hold
//! anything. Of these only what cannot be somebody's value is told.

use std::{error::Error, fmt::Write as _, io};

use tokio::task::JoinError;
use tokio_postgres::error::DbError;

/// Classes of SQLSTATE whose messages name objects, rights and states of the server, never values.
const WITHOUT_VALUES: [&str; 14] = [
    "08", "23", "25", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58", "TB",
];

/// An error with its sources on one line, for a log. A source that its error already quotes is
/// not repeated.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = words(error);
    let mut source = error.source();
    while let Some(cause) = source {
        let told = words(cause);
        if !text.contains(&told) {
            text.push_str(": ");
            text.push_str(&told);
        }
        source = cause.source();
    }
    text
}

/// What one error says of itself, its sources left out.
fn words(error: &(dyn Error + 'static)) -> String {
    if let Some(said) = error.downcast_ref::<DbError>() {
        return of_postgres(said);
    }
    if let Some(died) = error.downcast_ref::<JoinError>() {
        let how = if died.is_panic() {
            "panicked"
        } else {
            "was cancelled"
        };
        return format!("a task {how}");
    }
    // It says what is inside it, and skips that as its source.
    let inside = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    inside.map_or_else(|| error.to_string(), |inside| words(inside))
}

/// Severity, message if it cannot hold a value, code, and the names of what it is about. Never the
/// detail, which quotes rows, and never the hint.
fn of_postgres(said: &DbError) -> String {
    let (mut text, code) = (said.severity().to_owned(), said.code().code());
    if WITHOUT_VALUES.contains(&code.get(..2).unwrap_or_default()) {
        text.push_str(": ");
        text.push_str(said.message());
    }
    // Writing to a String cannot fail.
    let _ = write!(text, " ({code}");
    let names = [
        ("table", said.table()),
        ("column", said.column()),
        ("type", said.datatype()),
        ("constraint", said.constraint()),
    ];
    for (what, name) in names {
        if let Some(name) = name {
            let _ = write!(text, ", {what} {name}");
        }
    }
    text.push(')');
    text
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Above(io::Error);

    impl fmt::Display for Above {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "reading it: {}", self.0)
        }
    }

    impl Error for Above {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_source_that_is_quoted_already_is_not_repeated() {
        assert_eq!(chain(&Above(io::Error::other("gone"))), "reading it: gone");
    }

    #[tokio::test]
    async fn a_task_that_panicked_does_not_hand_on_what_it_said() {
        let number = "+99900000123456";
        let died = tokio::spawn(async move { panic!("no such number: {number}") }).await;
        let died = died.expect_err("it panicked");
        assert!(died.to_string().contains(number), "tokio quotes it");
        assert_eq!(chain(&died), "a task panicked");
        assert_eq!(chain(&io::Error::other(died)), "a task panicked");
    }
}
