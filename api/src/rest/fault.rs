//! What is told when something behind an endpoint fails. The caller hears that it failed, the log
//! why.

use std::error::Error as _;

use actors::runtime::commands::CommandError;
use eventstore::{StoreError, keyring::KeyringError, log::chain};
use projections::ReadError;

use crate::http::problem::{Code, Problem};

/// A question had no answer.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` hands over"
)]
pub(super) fn unread(error: ReadError) -> Problem {
    not_read(&error)
}

fn not_read(error: &ReadError) -> Problem {
    match error {
        ReadError::Store(error) => failed(error),
        ReadError::Unreadable { .. } => broken(error),
    }
}

/// The log or its tables cannot be reached.
pub(super) fn unreachable(error: &StoreError) -> Problem {
    failed(error)
}

/// A key could not be had.
pub(super) fn keyless(error: &KeyringError) -> Problem {
    away(error)
}

/// What we keep cannot be understood, or we asked for nonsense. Nobody but us can mend it.
pub(super) fn broken(error: &(dyn std::error::Error + 'static)) -> Problem {
    tracing::error!(event = "rest.broken", error = chain(error));
    Problem::new(Code::Internal)
}

/// A command was not carried out; `refused` says what a refusal is called here.
pub(super) fn undone<R: std::fmt::Debug + 'static>(
    error: CommandError<R>,
    refused: impl FnOnce(R) -> Problem,
) -> Problem {
    match error {
        CommandError::Refused(refusal) => refused(refusal),
        CommandError::Contended => Problem::new(Code::Contended),
        CommandError::Away => Problem::new(Code::Unavailable),
        CommandError::Store(error) => failed(&error),
        CommandError::Keyring(error) => away(&error),
        CommandError::View(error) => {
            match error.source().and_then(|source| source.downcast_ref()) {
                Some(error) => not_read(error),
                None => away(&error),
            }
        }
    }
}

/// The log or its tables failed: usually because they are away, but a statement that Postgres refuses
/// to carry out is a mistake of ours.
fn failed(error: &StoreError) -> Problem {
    let StoreError::Postgres { source, .. } = error else {
        return away(error);
    };
    let class = source.code().map(|state| &state.code()[..2]);
    match class {
        // Data, integrity, syntax and rights.
        Some("22" | "23" | "42") => broken(error),
        _ => away(error),
    }
}

fn away(error: &(dyn std::error::Error + 'static)) -> Problem {
    tracing::error!(event = "rest.unavailable", error = chain(error));
    Problem::new(Code::Unavailable)
}
