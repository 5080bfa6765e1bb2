//! Appends that go in together or not at all.

use schema::{Category, StreamVersion};

use super::{Store, is_recorded, one, samples};
use crate::{Append, Guard, Outcome, StoreError, Together};

fn guard(stream: u128, version: i32) -> Guard {
    Guard {
        stream: samples::stream(stream),
        version: StreamVersion(version),
    }
}

/// Nothing of these appends is there.
async fn nothing_is_there(store: &Store, appends: &[Append]) {
    let streams: Vec<_> = appends.iter().map(|append| append.stream).collect();
    let read = store.read_streams(&streams).await.expect("reads");
    let there = |(append, events): (&Append, &Vec<crate::RecordedEvent>)| {
        let mut events = events.iter();
        events.any(|event| append.events.iter().any(|new| new.id == event.data.id))
    };
    assert!(!appends.iter().zip(&read).any(there), "half of it is there");
}

pub(super) async fn appends_that_go_in_together_stand_together(store: Store) {
    let old = samples::fresh();
    assert!(is_recorded(&one(&store, samples::append(old, 0, 2)).await));
    let before = store.head().await.expect("head");
    let mut guarded = samples::append(samples::fresh(), 0, 1);
    guarded.guards = vec![guard(old, 2)];
    let appends = vec![
        guarded,
        samples::append(old, 2, 2),
        samples::append(samples::fresh(), 0, 3),
    ];
    let expected: Vec<_> = appends
        .iter()
        .flat_map(|append| append.events.iter().map(|event| event.id))
        .collect();
    let together = store.append_together(appends).await.expect("appends");
    let Together::Recorded { first, last, .. } = together else {
        panic!("{together:?}");
    };
    assert_eq!((first, last), (before.next(), before.plus(6)));
    assert_eq!(store.head().await.expect("head"), last);
    let stretch = store.read_after(before, 10).await.expect("reads");
    let recorded = stretch.whole().expect("readable");
    let recorded: Vec<_> = recorded.iter().map(|event| event.data.id).collect();
    assert_eq!(recorded, expected, "in their order");
}

pub(super) async fn one_that_cannot_go_in_keeps_all_out(store: Store) {
    let (taken, moved) = (samples::fresh(), samples::fresh());
    for stream in [taken, moved] {
        assert!(is_recorded(
            &one(&store, samples::append(stream, 0, 1)).await
        ));
    }
    let mut guarded = samples::append(samples::fresh(), 0, 1);
    guarded.guards = vec![guard(moved, 0)];
    let mut diverged = samples::append(taken, 0, 1);
    if let schema::Event::MessageSettled(event) = &mut diverged.events[0].event {
        event.segment_count += 1;
    }
    let id = diverged.events[0].id;
    let actual = StreamVersion(1);
    let conflict = samples::append_numbered(taken, 0, 7);
    let stream = samples::stream(moved);
    for (wrong, reason) in [
        (conflict, Outcome::Conflict { actual }),
        (guarded, Outcome::GuardMoved { stream, actual }),
        (diverged, Outcome::Diverged { id }),
        (samples::append(taken, 0, 1), Outcome::AlreadyRecorded),
    ] {
        let head = store.head().await.expect("head");
        let good = [
            samples::append(samples::fresh(), 0, 2),
            samples::append(samples::fresh(), 0, 1),
        ];
        let appends = vec![good[0].clone(), wrong, good[1].clone()];
        let together = store.append_together(appends).await.expect("answers");
        assert_eq!(together, Together::Prevented(vec![(1, reason)]));
        assert_eq!(store.head().await.expect("head"), head, "nothing went in");
        nothing_is_there(&store, &good).await;
    }
    let mut foreign = samples::append(samples::fresh(), 0, 1);
    foreign.stream.category = Category::Orphan;
    let mut twice = samples::append(samples::fresh(), 0, 2);
    twice.events[1] = twice.events[0].clone();
    for never in [foreign, twice] {
        let head = store.head().await.expect("head");
        let good = samples::append(samples::fresh(), 0, 2);
        let together = store.append_together(vec![good.clone(), never]).await;
        assert_eq!(together.expect("answers"), Together::Refused);
        assert_eq!(store.head().await.expect("head"), head, "nothing went in");
        nothing_is_there(&store, &[good]).await;
    }
}

pub(super) async fn known_together_is_already_recorded(store: Store) {
    let appends = vec![
        samples::append(samples::fresh(), 0, 2),
        samples::append(samples::fresh(), 0, 1),
    ];
    let first = store.append_together(appends.clone()).await;
    assert!(matches!(first.expect("goes in"), Together::Recorded { .. }));
    let head = store.head().await.expect("head");
    let again = store.append_together(appends.clone()).await;
    assert_eq!(again.expect("answers"), Together::AlreadyRecorded);
    // One by one it is the same facts.
    let outcomes = store.append(appends).await.expect("answers");
    assert_eq!(outcomes, vec![Outcome::AlreadyRecorded; 2]);
    assert_eq!(store.head().await.expect("head"), head);
}

pub(super) async fn what_depends_on_each_other_cannot_go_in_together(store: Store) {
    let head = store.head().await.expect("head");
    let stream = samples::fresh();
    let mut guarding = samples::append(samples::fresh(), 0, 1);
    guarding.guards = vec![guard(stream, 0)];
    for second in [samples::append(stream, 1, 1), guarding] {
        let appends = vec![samples::append(stream, 0, 1), second];
        let refused = store.append_together(appends).await;
        assert!(matches!(refused, Err(StoreError::Misuse(_))), "{refused:?}");
    }
    let nothing = store.append_together(Vec::new()).await;
    assert!(matches!(nothing, Err(StoreError::Misuse(_))), "{nothing:?}");
    assert_eq!(store.head().await.expect("head"), head);
}
