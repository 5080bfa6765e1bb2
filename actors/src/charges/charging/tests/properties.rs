//! Any prices and any settlements, in any order, any number of times, while writes get lost or
//! are kept although they say they failed: every charge is what a simple reference computes.
//!
//! The reference reads the log from its beginning and keeps nothing but a list of prices.

use std::collections::{HashMap, HashSet};

use eventstore::RecordedEvent;
use schema::{Period, Timestamp};

use super::{
    fixture::{Fault, World, at, settlement, tenant},
    *,
};

/// How many messages each run settles.
const MESSAGES: u64 = 40;

/// A price as the reference keeps it, in millionths.
struct Line {
    own: bool,
    from: Timestamp,
    to: Option<Timestamp>,
    millionths: i64,
}

/// What the reference makes of the log so far.
#[derive(Default)]
struct Reference {
    lines: Vec<Line>,
    held: HashMap<MessageId, Timestamp>,
    charged: HashSet<MessageId>,
}

impl Reference {
    fn price_at(&self, time: Timestamp) -> Option<i64> {
        let covers = |line: &&Line| line.from <= time && line.to.is_none_or(|to| time < to);
        let of = |own| {
            self.lines
                .iter()
                .filter(covers)
                .find(|line| line.own == own)
        };
        of(true).or_else(|| of(false)).map(|line| line.millionths)
    }

    /// Checks the next event of the log.
    fn read(&mut self, event: &RecordedEvent) {
        match &event.data.event {
            Event::PriceOpened(opened) => self.lines.push(Line {
                own: event.data.tenant.is_some(),
                from: opened.period.effective_from,
                to: opened.period.effective_to,
                millionths: millionths(&opened.terms.unit_price.to_string()),
            }),
            Event::MessageCharged(charged) => {
                let said = &charged.settlement;
                assert!(self.charged.insert(said.message_id), "charged twice");
                self.held.remove(&said.message_id);
                let price = self.price_at(said.charged_at);
                let due = price.map(|price| price * i64::from(said.segment_count));
                assert_eq!(Some(millionths(&charged.customer_price.to_string())), due);
            }
            Event::ChargeHeld(held) => {
                let said = &held.settlement;
                assert_eq!(self.price_at(said.charged_at), None, "there was a price");
                self.held.insert(said.message_id, said.charged_at);
            }
            other => panic!("{other:?}"),
        }
    }
}

fn millionths(decimal: &str) -> i64 {
    decimal.replace('.', "").parse().expect("six places")
}

/// The next number of a simple generator, below `below`.
fn next(seed: &mut u64, below: u64) -> u64 {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) % below
}

fn time(seed: &mut u64, below: u64) -> i64 {
    next(seed, below).cast_signed()
}

/// The settlement of a message of this run, always the same.
fn message(run: u64, number: u64) -> ChargeRequest {
    let mut seed = run << 32 | number;
    let mut request = settlement(u128::from(number));
    request.settlement.segment_count = i16::try_from(time(&mut seed, 10) + 1).expect("small");
    request.settlement.charged_at = at(time(&mut seed, 100));
    request
}

fn all_messages() -> impl Iterator<Item = u128> {
    (0..MESSAGES).map(u128::from)
}

async fn open_a_price(world: &World, seed: &mut u64, number: u128) {
    let (from, length) = (time(seed, 100), time(seed, 40));
    let period = Period {
        effective_from: at(from),
        effective_to: (length < 30).then(|| at(from + length)),
    };
    let own = (next(seed, 3) == 0).then(tenant);
    let price = format!("0.{:06}", next(seed, 1_000_000));
    // Refused where there is one already.
    world.try_open_price(own, &price, period, number).await;
}

async fn settle_some(world: &World, run: u64, seed: &mut u64) {
    let count = next(seed, 12) + 1;
    let any = |_| message(run, next(seed, MESSAGES));
    let batch: Vec<_> = (0..count).map(any).collect();
    let dispositions = world.settle(&batch).await;
    assert!(!dispositions.contains(&Disposition::Conflict));
}

#[tokio::test]
async fn every_charge_is_what_the_reference_computes() {
    for run in 0..60 {
        let world = World::start().await;
        let mut seed = run;
        for number in 0..60 {
            world.fail_next(match next(&mut seed, 4) {
                0 => Some(Fault::Lost),
                1 => Some(Fault::KeptAndFailed),
                _ => None,
            });
            match next(&mut seed, 4) {
                0 => open_a_price(&world, &mut seed, number).await,
                1 => drop(world.rate_held(all_messages()).await),
                _ => settle_some(&world, run, &mut seed).await,
            }
        }
        // What was sent back comes again until it is done, and held charges are looked at again.
        world.heal();
        let all: Vec<_> = (0..MESSAGES).map(|number| message(run, number)).collect();
        let dispositions = world.settle(&all).await;
        assert!(!dispositions.contains(&Disposition::Again));
        world.rate_held(all_messages()).await;
        let mut reference = Reference::default();
        for event in world.log().await {
            reference.read(&event);
        }
        let settled = reference.charged.len() + reference.held.len();
        assert_eq!(settled, all.len(), "run {run}");
        for (message, time) in &reference.held {
            assert_eq!(reference.price_at(*time), None, "{message} could be rated");
        }
    }
}
