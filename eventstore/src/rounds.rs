//! Cuts a batch into rounds, so that set-based SQL behaves as if appends came one by one; and what
//! one round comes to that goes in together or not at all.

use std::collections::HashSet;

use schema::{Position, StreamId};

use crate::{Append, Outcome, StoreError, Together};

/// Consecutive appends of a batch in which none writes or guards a stream that an earlier one of
/// the same round writes. One round is one transaction.
pub(crate) fn rounds(batch: Vec<Append>) -> Vec<Vec<Append>> {
    let mut rounds = Vec::with_capacity(1);
    let mut round = Vec::with_capacity(batch.len());
    let mut written: HashSet<StreamId> = HashSet::with_capacity(batch.len());
    for append in batch {
        let depends = written.contains(&append.stream)
            || append
                .guards
                .iter()
                .any(|guard| written.contains(&guard.stream));
        if depends {
            rounds.push(std::mem::take(&mut round));
            written.clear();
        }
        written.insert(append.stream);
        round.push(append);
    }
    if !round.is_empty() {
        rounds.push(round);
    }
    rounds
}

/// Appends that are to go in together, if they can be one round.
pub(crate) fn one_round(appends: Vec<Append>) -> Result<Vec<Append>, StoreError> {
    let mut rounds = rounds(appends);
    match (rounds.pop(), rounds.len()) {
        (Some(round), 0) => Ok(round),
        (None, _) => Err(StoreError::Misuse("nothing is to go in together")),
        (Some(_), _) => Err(StoreError::Misuse(
            "appends that depend on each other cannot go in together",
        )),
    }
}

/// What `outcomes` are for appends that went in together or not at all; `head` is where the log ends
/// if they did.
pub(crate) fn together(outcomes: Vec<Outcome>, head: Position) -> Together {
    if let Some(Outcome::Recorded {
        position,
        recorded_at,
        ..
    }) = outcomes.first()
        && outcomes.iter().all(is_recorded)
    {
        return Together::Recorded {
            first: *position,
            last: head,
            recorded_at: *recorded_at,
        };
    }
    let known = |outcome: &Outcome| *outcome == Outcome::AlreadyRecorded;
    if outcomes.iter().all(known) {
        return Together::AlreadyRecorded;
    }
    if outcomes.contains(&Outcome::Refused) {
        return Together::Refused;
    }
    let reasons = outcomes.into_iter().enumerate();
    Together::Prevented(
        reasons
            .filter(|(_, outcome)| !is_recorded(outcome))
            .collect(),
    )
}

const fn is_recorded(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Recorded { .. })
}

#[cfg(test)]
mod tests {
    use schema::{Category, StreamVersion};
    use uuid::Uuid;

    use super::*;
    use crate::Guard;

    fn stream(number: u128) -> StreamId {
        StreamId {
            category: Category::Price,
            id: Uuid::from_u128(number),
        }
    }

    fn append(writes: u128, guards: &[u128]) -> Append {
        let guard = |number: &u128| Guard {
            stream: stream(*number),
            version: StreamVersion::NONE,
        };
        Append {
            stream: stream(writes),
            expected: StreamVersion::NONE,
            events: Vec::new(),
            guards: guards.iter().map(guard).collect(),
        }
    }

    fn sizes(batch: Vec<Append>) -> Vec<usize> {
        rounds(batch).iter().map(Vec::len).collect()
    }

    #[test]
    fn independent_appends_share_a_round() {
        assert_eq!(
            sizes(vec![append(1, &[9]), append(2, &[9]), append(3, &[])]),
            [3]
        );
        assert_eq!(sizes(vec![]), Vec::<usize>::new());
    }

    #[test]
    fn the_same_stream_again_waits_for_the_next_round() {
        assert_eq!(
            sizes(vec![append(1, &[]), append(1, &[]), append(2, &[])]),
            [1, 2]
        );
    }

    #[test]
    fn a_guard_on_a_stream_written_before_waits_for_the_next_round() {
        assert_eq!(sizes(vec![append(1, &[]), append(2, &[1])]), [1, 1]);
        assert_eq!(
            sizes(vec![append(2, &[1]), append(1, &[])]),
            [2],
            "guarding first is no wait"
        );
    }
}
