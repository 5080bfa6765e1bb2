//! An append that the log will never take is refused alone, however many share its transaction.

use eventstore::{EventStore, Outcome, contract::samples};
use schema::Position;

use crate::fixture::{base, dense, kinds, run, unique};

#[test]
fn an_append_that_is_refused_does_not_hold_up_its_neighbours() {
    run(async {
        let base = base().await;
        let (log, admin) = (base.log("dlr_svc"), base.admin().await);
        let mut batch: Vec<_> = (0..1_000)
            .map(|_| samples::append(samples::fresh(), 0, 1))
            .collect();
        // No text of Postgres holds a zero byte; a charge does not stand in a message's stream; and
        // streams of another's kind are not for this role.
        batch[17].events[0].principal = "no\0body".into();
        batch[500].events[0].event = kinds::golden("MessageCharged");
        batch[999] = kinds::append_in(schema::Category::Price, unique(), 0, 1);
        let outcomes = log.append(batch.clone()).await.expect("appends");
        assert_eq!(outcomes.len(), 1_000);
        let mut next = Position(1);
        for (number, outcome) in outcomes.iter().enumerate() {
            if [17, 500, 999].contains(&number) {
                assert_eq!(*outcome, Outcome::Refused, "{number}");
            } else {
                let is_next =
                    matches!(outcome, Outcome::Recorded { position, .. } if *position == next);
                assert!(is_next, "{number}: {outcome:?}");
                next = next.next();
            }
        }
        assert_eq!(dense(&admin).await, 997);
        // And for ever: told again, the neighbours are known and the three are refused again.
        let again = log.append(batch).await.expect("appends");
        let known = again
            .iter()
            .filter(|outcome| **outcome == Outcome::AlreadyRecorded);
        assert_eq!(known.count(), 997);
        assert_eq!(dense(&admin).await, 997);
    });
}
