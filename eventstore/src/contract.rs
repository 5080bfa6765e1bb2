//! One suite holds every implementation of [`EventStore`] to its promises, by number.
//!
//! A case may run on a log that already holds other events: it uses streams of its own, named by
//! [`samples::fresh`]. What takes several connections, a killed backend or a second role is
//! proven in the `tests` crate.

pub mod samples;
mod together;

use std::sync::Arc;

use futures::future::BoxFuture;
use schema::{Category, Event, MessageId, StreamVersion, event::OrphanMatched};

use self::together::{
    appends_that_go_in_together_stand_together, known_together_is_already_recorded,
    one_that_cannot_go_in_keeps_all_out, what_depends_on_each_other_cannot_go_in_together,
};
use crate::{Append, EventStore, Guard, Outcome};

/// A case of the suite. It panics where a promise is broken.
pub type Case = fn(Arc<dyn EventStore>) -> BoxFuture<'static, ()>;

macro_rules! cases {
    ($($name:ident)*) => {
        /// Every case with its name.
        #[must_use]
        pub fn cases() -> Vec<(&'static str, Case)> {
            vec![$((stringify!($name), |store| Box::pin($name(store)))),*]
        }
    };
}

cases! {
    l2_positions_are_dense_and_readers_see_a_prefix
    l3_versions_are_dense_and_a_wrong_expectation_is_refused
    l3_a_conflict_refuses_its_stream_and_lets_the_others_in
    l3_the_same_stream_twice_in_a_batch_goes_in_order
    l4_the_same_content_again_is_already_recorded
    l4_the_same_id_with_other_content_diverges
    l4_a_repeat_is_recognised_after_the_stream_moved_on
    l4_half_known_appends_are_refused_whole
    l6_a_moved_guard_refuses_the_append
    l6_a_guard_sees_what_the_same_batch_wrote_before
    l7_what_was_recorded_is_read_back_unchanged
    l7_an_event_in_a_stream_of_another_category_is_refused_alone
    l4_an_append_that_names_an_event_twice_is_refused_alone
    an_append_without_events_is_refused_alone
    appends_that_go_in_together_stand_together
    one_that_cannot_go_in_keeps_all_out
    known_together_is_already_recorded
    what_depends_on_each_other_cannot_go_in_together
}

type Store = Arc<dyn EventStore>;

async fn one(store: &Store, append: Append) -> Outcome {
    let mut outcomes = store.append(vec![append]).await.expect("appends");
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

fn is_recorded(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Recorded { .. })
}

async fn l2_positions_are_dense_and_readers_see_a_prefix(store: Store) {
    let before = store.head().await.expect("head");
    let batch = (0..5)
        .map(|_| samples::append(samples::fresh(), 0, 3))
        .collect();
    let outcomes = store.append(batch).await.expect("appends");
    let mut next = before.next();
    for outcome in &outcomes {
        let Outcome::Recorded {
            position,
            version: StreamVersion(3),
            ..
        } = outcome
        else {
            panic!("{outcome:?}");
        };
        assert_eq!(*position, next);
        next = next.plus(3);
    }
    let some = store.read_after(before, 7).await.expect("reads");
    assert_eq!((some.events.len(), some.through), (7, before.plus(7)));
    let rest = store
        .read_after(before.plus(7), 1_000)
        .await
        .expect("reads");
    let positions: Vec<_> = [some, rest]
        .into_iter()
        .flat_map(|stretch| stretch.whole().expect("readable"))
        .map(|event| event.position)
        .collect();
    let head = store.head().await.expect("head");
    let dense: Vec<_> = (1..=head.ahead_of(before))
        .map(|number| before.plus(number))
        .collect();
    assert_eq!(positions, dense);
    let last = next.plus(-1);
    let end = store.read_after(last, 10).await.expect("reads");
    assert_eq!((end.events.len(), end.through), (0, last));
}

async fn l3_versions_are_dense_and_a_wrong_expectation_is_refused(store: Store) {
    let stream = samples::fresh();
    assert!(is_recorded(
        &one(&store, samples::append(stream, 0, 2)).await
    ));
    for wrong in [1, 3, 7] {
        let refused = one(&store, samples::append_numbered(stream, wrong, 100)).await;
        assert_eq!(
            refused,
            Outcome::Conflict {
                actual: StreamVersion(2)
            }
        );
    }
    assert!(is_recorded(
        &one(&store, samples::append(stream, 2, 1)).await
    ));
    let events = store
        .read_streams(&[samples::stream(stream)])
        .await
        .expect("reads")
        .remove(0);
    assert_eq!(
        events.iter().map(|event| event.version).collect::<Vec<_>>(),
        [1, 2, 3].map(StreamVersion)
    );
}

async fn l3_a_conflict_refuses_its_stream_and_lets_the_others_in(store: Store) {
    let (left, conflicting, right) = (samples::fresh(), samples::fresh(), samples::fresh());
    let before = store.head().await.expect("head");
    let batch = vec![
        samples::append(left, 0, 1),
        samples::append(conflicting, 5, 2),
        samples::append(right, 0, 2),
    ];
    let outcomes = store.append(batch).await.expect("appends");
    assert!(matches!(outcomes[0], Outcome::Recorded { position, .. } if position == before.next()));
    assert_eq!(
        outcomes[1],
        Outcome::Conflict {
            actual: StreamVersion::NONE
        }
    );
    assert!(
        matches!(outcomes[2], Outcome::Recorded { position, .. } if position == before.plus(2))
    );
    assert_eq!(store.head().await.expect("head"), before.plus(3));
}

async fn l3_the_same_stream_twice_in_a_batch_goes_in_order(store: Store) {
    let stream = samples::fresh();
    let batch = vec![
        samples::append(stream, 0, 1),
        samples::append(stream, 1, 1),
        samples::append_numbered(stream, 1, 50),
    ];
    let outcomes = store.append(batch).await.expect("appends");
    assert!(
        is_recorded(&outcomes[0]) && is_recorded(&outcomes[1]),
        "{outcomes:?}"
    );
    assert_eq!(
        outcomes[2],
        Outcome::Conflict {
            actual: StreamVersion(2)
        }
    );
}

async fn l4_the_same_content_again_is_already_recorded(store: Store) {
    let append = samples::append(samples::fresh(), 0, 2);
    assert!(is_recorded(&one(&store, append.clone()).await));
    let head = store.head().await.expect("head");
    assert_eq!(one(&store, append.clone()).await, Outcome::AlreadyRecorded);
    let mut told_differently = append;
    for event in &mut told_differently.events {
        event.cause = None;
        event.trace = Some("00-11111111111111111111111111111111-1111111111111111-01".into());
        event.principal = "somebody-else".into();
    }
    assert_eq!(
        one(&store, told_differently).await,
        Outcome::AlreadyRecorded
    );
    assert_eq!(store.head().await.expect("head"), head);
}

async fn l4_the_same_id_with_other_content_diverges(store: Store) {
    let append = samples::append(samples::fresh(), 0, 1);
    assert!(is_recorded(&one(&store, append.clone()).await));
    let head = store.head().await.expect("head");
    for expected in [0, 1].map(StreamVersion) {
        let mut other = append.clone();
        other.expected = expected;
        if let Event::MessageSettled(event) = &mut other.events[0].event {
            event.segment_count += 1;
        }
        let id = other.events[0].id;
        assert_eq!(one(&store, other).await, Outcome::Diverged { id });
    }
    assert_eq!(store.head().await.expect("head"), head);
}

async fn l4_a_repeat_is_recognised_after_the_stream_moved_on(store: Store) {
    let stream = samples::fresh();
    let first = samples::append(stream, 0, 1);
    assert!(is_recorded(&one(&store, first.clone()).await));
    assert!(is_recorded(
        &one(&store, samples::append(stream, 1, 2)).await
    ));
    assert_eq!(one(&store, first).await, Outcome::AlreadyRecorded);
}

async fn l4_half_known_appends_are_refused_whole(store: Store) {
    let stream = samples::fresh();
    let first = samples::append(stream, 0, 1);
    assert!(is_recorded(&one(&store, first.clone()).await));
    let mut half = samples::append(stream, 1, 1);
    half.events.insert(0, first.events[0].clone());
    assert_eq!(
        one(&store, half).await,
        Outcome::Conflict {
            actual: StreamVersion(1)
        }
    );
}

async fn l6_a_moved_guard_refuses_the_append(store: Store) {
    let (prices, charge) = (samples::fresh(), samples::fresh());
    assert!(is_recorded(
        &one(&store, samples::append(prices, 0, 2)).await
    ));
    let stream = samples::stream(prices);
    let guarded = |version| {
        let mut append = samples::append(charge, 0, 1);
        append.guards = vec![
            Guard {
                stream: samples::stream(samples::fresh()),
                version: StreamVersion::NONE,
            },
            Guard {
                stream,
                version: StreamVersion(version),
            },
        ];
        append
    };
    let head = store.head().await.expect("head");
    assert_eq!(
        one(&store, guarded(1)).await,
        Outcome::GuardMoved {
            stream,
            actual: StreamVersion(2)
        }
    );
    assert_eq!(
        store.head().await.expect("head"),
        head,
        "nothing was appended"
    );
    let batch = vec![guarded(1), samples::append(samples::fresh(), 0, 1)];
    let outcomes = store.append(batch).await.expect("appends");
    assert!(is_recorded(&outcomes[1]), "the others go in: {outcomes:?}");
    assert!(is_recorded(&one(&store, guarded(2)).await));
    assert_eq!(
        one(&store, guarded(1)).await,
        Outcome::AlreadyRecorded,
        "a repeat is a repeat"
    );
}

async fn l6_a_guard_sees_what_the_same_batch_wrote_before(store: Store) {
    let (prices, before, after) = (samples::fresh(), samples::fresh(), samples::fresh());
    let guard = Guard {
        stream: samples::stream(prices),
        version: StreamVersion::NONE,
    };
    let mut early = samples::append(before, 0, 1);
    early.guards = vec![guard];
    let mut late = samples::append(after, 0, 1);
    late.guards = vec![guard];
    let batch = vec![early, samples::append(prices, 0, 1), late];
    let outcomes = store.append(batch).await.expect("appends");
    assert!(
        is_recorded(&outcomes[0]) && is_recorded(&outcomes[1]),
        "{outcomes:?}"
    );
    assert_eq!(
        outcomes[2],
        Outcome::GuardMoved {
            stream: guard.stream,
            actual: StreamVersion(1)
        }
    );
}

async fn l7_what_was_recorded_is_read_back_unchanged(store: Store) {
    let (first, second, empty) = (samples::fresh(), samples::fresh(), samples::fresh());
    let appends = vec![samples::append(first, 0, 2), samples::append(second, 0, 1)];
    let before = store.head().await.expect("head");
    store.append(appends.clone()).await.expect("appends");
    let asked = [second, empty, first].map(samples::stream);
    let streams = store.read_streams(&asked).await.expect("reads");
    let facts: Vec<Vec<_>> = streams
        .iter()
        .map(|events| events.iter().map(|event| event.data.clone()).collect())
        .collect();
    assert_eq!(
        facts,
        [
            appends[1].events.clone(),
            Vec::new(),
            appends[0].events.clone()
        ]
    );
    let stretch = store.read_after(before, 10).await.expect("reads");
    let events = stretch.whole().expect("readable");
    let recorded: Vec<_> = events.iter().map(|event| event.recorded_at).collect();
    assert!(recorded.is_sorted(), "recorded_at never goes back");
    assert_eq!(streams[0], events[2..]);
}

async fn l7_an_event_in_a_stream_of_another_category_is_refused_alone(store: Store) {
    // An orphan is of the same service, so it is not for want of a right.
    let mut foreign = samples::append(samples::fresh(), 0, 2);
    foreign.stream.category = Category::Orphan;
    refused_alone(&store, foreign.clone()).await;
    let streams = store.read_streams(&[foreign.stream]).await.expect("reads");
    assert_eq!(streams, [vec![]], "nothing was written");
    // One event that does not belong there is enough.
    let mut mixed = samples::append(samples::fresh(), 0, 2);
    mixed.events[1].event = Event::OrphanMatched(OrphanMatched {
        orphan_id: mixed.events[0].id,
        message_id: MessageId(mixed.stream.id),
        receipt_id: None,
    });
    refused_alone(&store, mixed).await;
}

async fn l4_an_append_that_names_an_event_twice_is_refused_alone(store: Store) {
    let stream = samples::fresh();
    let mut twice = samples::append(stream, 0, 2);
    twice.events.push(twice.events[0].clone());
    refused_alone(&store, twice).await;
    // With other content it is as wrong, and so it is behind events that are known.
    let mut differing = samples::append(stream, 0, 2);
    differing.events[1].id = differing.events[0].id;
    refused_alone(&store, differing.clone()).await;
    assert!(is_recorded(
        &one(&store, samples::append(stream, 0, 2)).await
    ));
    refused_alone(&store, differing).await;
}

async fn an_append_without_events_is_refused_alone(store: Store) {
    let mut empty = samples::append(samples::fresh(), 0, 1);
    empty.events.clear();
    refused_alone(&store, empty).await;
}

/// Its neighbours in a batch go in.
async fn refused_alone(store: &Store, append: Append) {
    let neighbour = || samples::append(samples::fresh(), 0, 2);
    let head = store.head().await.expect("head");
    let batch = vec![neighbour(), neighbour(), append, neighbour()];
    let outcomes = store.append(batch).await.expect("appends");
    let recorded: Vec<_> = outcomes.iter().map(is_recorded).collect();
    assert_eq!(recorded, [true, true, false, true], "{outcomes:?}");
    assert_eq!(outcomes[2], Outcome::Refused);
    assert_eq!(store.head().await.expect("head"), head.plus(6));
}
