//! What prices and costs have in common: versions that are opened, replaced and closed.

use actors::prices::decide::timeline::Refusal;
use schema::{Period, Timestamp, id::derive};
use uuid::Uuid;

use crate::http::problem::{Code, Problem};

/// What opening may be refused for.
pub(super) const OPENING: &[Code] = &[Code::PeriodReversed, Code::PeriodOverlaps];
/// What replacing and closing may be refused for.
pub(super) const AMENDING: &[Code] = &[
    Code::NotFound,
    Code::PeriodReversed,
    Code::PeriodInPast,
    Code::AlreadyClosed,
];

/// What a refusal is called; `end` is the field that says until when.
pub(super) fn refused(refusal: Refusal, end: &'static str) -> Problem {
    match refusal {
        Refusal::NotFound => Problem::new(Code::NotFound),
        Refusal::Overlap { with } => {
            Problem::new(Code::PeriodOverlaps).because(format!("with version {with}"))
        }
        Refusal::Reversed => Problem::new(Code::PeriodReversed).at(end),
        Refusal::AlreadyClosed => Problem::new(Code::AlreadyClosed),
        Refusal::InThePast => Problem::new(Code::PeriodInPast).at(end),
        Refusal::Changed { .. } => Problem::new(Code::PreconditionFailed).at("If-Match"),
        Refusal::KeyReused => reused(),
    }
}

/// The key came with something else before.
pub(super) fn reused() -> Problem {
    Problem::new(Code::IdempotencyKeyReused).at("Idempotency-Key")
}

/// The period that a caller wants: from now on where they say no beginning.
///
/// # Errors
/// It has no instant.
pub(super) fn period(
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    now: Timestamp,
) -> Result<Period, Problem> {
    let period = Period {
        effective_from: from.unwrap_or(now),
        effective_to: to,
    };
    if period.is_empty() {
        return Err(Problem::new(Code::PeriodReversed).at("/effectiveTo"));
    }
    Ok(period)
}

/// The id of the version that `request` opens with `content`.
pub(super) fn id(request: Uuid, content: &impl serde::Serialize) -> Uuid {
    // Unwrap safety: what endpoints ask for is made of words, numbers and times.
    let content = serde_json::to_vec(content).expect("content is JSON");
    derive("version", &[request.as_bytes(), &content])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).expect("a time")
    }

    #[test]
    fn a_period_begins_now_unless_it_says_so_and_has_an_instant() {
        let wanted = period(None, None, at(7)).expect("good");
        assert_eq!((wanted.effective_from, wanted.effective_to), (at(7), None));
        assert!(period(Some(at(3)), Some(at(4)), at(7)).is_ok());
        for to in [3, 2] {
            let problem = period(Some(at(3)), Some(at(to)), at(7)).expect_err("refused");
            assert_eq!(problem.code(), Code::PeriodReversed);
        }
        assert!(period(None, Some(at(7)), at(7)).is_err());
    }
}
