//! The traffic is what it claims to be, and what it expects adds up.

use std::collections::{BTreeSet, HashMap, HashSet};

use schema::{MessageId, ReceivedReceipt, Status};

use super::*;

fn start() -> Timestamp {
    Timestamp::parse("2026-03-01T12:00:00Z").expect("valid")
}

fn traffic(seed: u64, messages: u64) -> Traffic {
    Traffic::generate(&Shape::new(seed, messages, start()))
}

#[test]
fn the_same_seed_makes_the_same_traffic() {
    let (one, two) = (traffic(7, 3_000), traffic(7, 3_000));
    assert_eq!(one.all.inbound, two.all.inbound);
    assert_eq!(one.all.rows, two.all.rows);
    assert_eq!(one.all.later, two.all.later);
    assert_eq!(one.expected.messages, two.expected.messages);
    assert_ne!(one.all.inbound, traffic(8, 3_000).all.inbound);
}

#[test]
fn chunks_do_not_change_the_traffic() {
    let shape = Shape::new(7, 3_000, start());
    let small = Traffic::generate(&Shape {
        chunk: 100,
        ..shape
    });
    assert_eq!(small.all.inbound, traffic(7, 3_000).all.inbound);
}

/// The independent check: every receipt is read back by the services' own parser.
#[test]
fn what_is_sent_is_what_is_expected() {
    let Traffic { all, expected } = traffic(1, 30_000);
    let mut refused: HashMap<&str, u64> = HashMap::new();
    let mut accepted = Vec::new();
    for inbound in &all.inbound {
        match ReceivedReceipt::parse(&inbound.payload, start()) {
            Ok(receipt) => accepted.push(receipt),
            Err(invalid) => *refused.entry(invalid.reason.as_str()).or_default() += 1,
        }
    }
    assert_eq!(
        refused,
        expected.counts.invalid.clone().into_iter().collect()
    );
    assert_eq!(refused.len(), 12, "every reason occurs");

    let rows = all
        .rows
        .iter()
        .chain(all.later.iter().map(|later| &later.row));
    let by_name: HashMap<_, _> = rows
        .map(|row| {
            (
                (row.operator_id, row.operator_message_id.clone()),
                row.message_id,
            )
        })
        .collect();
    let mut recorded: HashSet<(MessageId, String, Status)> = HashSet::new();
    let mut orphaned = HashSet::new();
    for ReceivedReceipt {
        facts,
        message_hint,
        ..
    } in &accepted
    {
        let name = (facts.operator_id, facts.operator_message_id.clone());
        let hinted = message_hint.filter(|hint| {
            let message = expected.messages.get(hint);
            message.is_some_and(|it| it.operator == name.0 && it.segments > 1)
        });
        if let Some(message) = by_name.get(&name).copied().or(hinted) {
            recorded.insert((message, name.1.as_str().to_owned(), facts.dlr_status));
            let sent = &expected.messages[&message].sent;
            let said = sent
                .iter()
                .find(|sent| sent.event_id == facts.source_event_id);
            let said = said.expect("expected");
            let enqueued = expected.messages[&message].enqueued;
            let facts = facts.clone().not_before(enqueued);
            let (happened, stated) = said.happened(enqueued, start());
            assert_eq!(happened, facts.delivered_at);
            assert_eq!(stated, facts.stated_delivered_at);
            assert_eq!(said.word.text(), facts.raw_stat);
        } else {
            assert!(expected.orphans.contains_key(&name));
            orphaned.insert((name, facts.dlr_status));
        }
    }
    assert_eq!(recorded, identities(&expected));
    assert_eq!(
        u64::try_from(recorded.len()).ok(),
        Some(expected.counts.receipts)
    );
    assert_eq!(
        u64::try_from(orphaned.len()).ok(),
        Some(expected.counts.orphans)
    );
}

/// Every receipt that must be recorded: message, name of the part, status.
fn identities(expected: &Expected) -> HashSet<(MessageId, String, Status)> {
    expected
        .messages
        .iter()
        .flat_map(|(id, message)| {
            let name = |part| message.operator_message(part).as_str().to_owned();
            message
                .identities()
                .into_iter()
                .map(move |(part, status)| (*id, name(part), status))
        })
        .collect()
}

#[test]
fn the_counts_add_up() {
    let Traffic { all, expected } = traffic(2, 30_000);
    let counts = &expected.counts;
    assert_eq!(u64::try_from(all.inbound.len()).ok(), Some(counts.sent));
    let facts = counts.receipts + counts.orphans;
    let repeats = counts.exact_repeats + counts.other_repeats;
    assert_eq!(facts + repeats + counts.refused(), counts.sent);
    assert_eq!(counts.messages, 30_000 + counts.former_lives);
    let later = u64::try_from(all.later.len()).ok();
    assert_eq!(later, Some(counts.within_grace + counts.past_grace));
    let settled = expected
        .messages
        .values()
        .filter(|message| !message.finals().is_empty());
    assert_eq!(u64::try_from(settled.count()).ok(), Some(counts.settled));
}

#[test]
fn things_happen_as_often_as_the_issue_says() {
    let Expected { counts, .. } = traffic(3, 100_000).expected;
    let about = |what: &str, count: u64, share: u64| {
        let wanted = counts.messages * share / 10_000;
        let apart = count.abs_diff(wanted);
        assert!(
            apart * 5 <= wanted,
            "{what}: {count}, wanted about {wanted}"
        );
    };
    about("intermediate first", counts.with_intermediate, 1_580);
    about("repeats", counts.exact_repeats + counts.other_repeats, 500);
    about("contradicting finals", counts.contradicted, 200);
    about("multi-part", counts.multi_part, 300);
    about(
        "ahead of the row",
        counts.within_grace + counts.past_grace,
        100,
    );
    about("orphans", counts.orphans, 62);
    about("refused", counts.refused(), 50);
    about("silent", counts.silent - counts.former_lives, 50);
    about("ids of weeks ago", counts.former_lives, 100);
    assert!(counts.implausible > 0 && counts.wrong_hints > 0);
}

#[test]
fn arrival_is_shuffled_within_bounds() {
    let Traffic { all, expected } = traffic(4, 20_000);
    let place_of: HashMap<_, _> = all
        .rows
        .iter()
        .enumerate()
        .map(|(place, row)| (row.message_id, place))
        .collect();
    let message_of: HashMap<_, _> = expected
        .messages
        .iter()
        .flat_map(|(id, message)| message.sent.iter().map(|sent| (sent.event_id, *id)))
        .collect();
    let (mut before, mut overtaken, mut seen) = (0, 0_u32, BTreeSet::new());
    for inbound in &all.inbound {
        let Ok(receipt) = ReceivedReceipt::parse(&inbound.payload, start()) else {
            continue;
        };
        let Some(message) = message_of.get(&receipt.facts.source_event_id) else {
            continue;
        };
        let Some(&place) = place_of.get(message) else {
            continue;
        };
        overtaken += u32::from(place < before);
        assert!(
            before.saturating_sub(place) < 2_000,
            "overtaken by {}",
            before - place
        );
        before = before.max(place);
        seen.insert(place);
    }
    assert!(overtaken > 10_000 && seen.len() > 19_000, "{overtaken}");
}

#[test]
fn the_plain_mix_is_one_receipt_per_message() {
    let shape = Shape::new(5, 5_000, start()).with_mix(Mix::PLAIN);
    let Traffic { all, expected } = Traffic::generate(&shape);
    assert_eq!(
        (all.rows.len(), all.inbound.len(), all.later.len()),
        (5_000, 5_000, 0)
    );
    assert_eq!(expected.counts.settled, 5_000);
}

#[test]
#[ignore = "a measurement; run it with --release -- --ignored --nocapture"]
fn it_is_quick_enough() {
    let began = std::time::Instant::now();
    let mut generator = Generator::new(&Shape::new(6, 400_000, start()));
    let mut receipts = 0;
    while let Some(chunk) = generator.next_chunk() {
        receipts += chunk.inbound.len();
    }
    let per_second =
        u128::try_from(receipts).unwrap_or(0) * 1_000_000 / began.elapsed().as_micros().max(1);
    assert!(per_second > 200_000, "{per_second} receipts per second");
}
