//! Charging on a log in memory: repeats, contradictions, prices that move, writes that get lost.

mod fixture;
mod properties;

use eventstore::EventStore as _;
use schema::{AccountTier, Event, Position, event::HoldReason};

use self::fixture::{Fault, World, settlement};
use super::*;

/// Charged, and not at a loss.
const CHARGED: Disposition = Disposition::Charged {
    negative_margin: false,
    cost_missing: true,
    margin_unknown: false,
};

#[tokio::test]
async fn a_settled_message_is_charged_once_however_often_it_comes() {
    let world = World::start().await;
    world.open_price(None, "0.05", 0).await;
    let twice = [settlement(1), settlement(1), settlement(2)];
    assert_eq!(
        world.settle(&twice).await,
        [CHARGED, Disposition::Duplicate, CHARGED]
    );
    let mut again = settlement(1);
    again.settlement.source_event_id = uuid::Uuid::from_u128(77);
    assert_eq!(
        world.settle(&[again, settlement(2)]).await,
        [Disposition::Duplicate; 2]
    );
    assert_eq!(world.charges().await.len(), 2);
    assert_eq!(world.metrics.ok.get(), 2);
    assert_eq!(world.metrics.duplicate.get(), 3);
}

#[tokio::test]
async fn contradictions_are_kept_each_content_once_and_the_first_stays() {
    let world = World::start().await;
    world.open_price(None, "0.05", 0).await;
    let with = |segments| {
        let mut other = settlement(1);
        other.settlement.segment_count = segments;
        other
    };
    let all = [settlement(1), with(4), with(5), with(4), settlement(1)];
    let dispositions = world.settle(&all).await;
    let [charged, conflict, duplicate] = [CHARGED, Disposition::Conflict, Disposition::Duplicate];
    assert_eq!(
        dispositions,
        [charged, conflict, conflict, duplicate, duplicate]
    );
    let stream = world.stream(1).await;
    assert_eq!(stream.len(), 3);
    assert!(matches!(&stream[0], Event::MessageCharged(charged)
        if charged.settlement.segment_count == 1));
}

#[tokio::test]
async fn a_price_that_moved_elsewhere_is_noticed_when_it_is_recorded() {
    let world = World::start().await;
    world.open_price(None, "0.05", 0).await;
    assert_eq!(world.settle(&[settlement(1)]).await, [CHARGED]);
    // The cache has the platform's price and that there is no own one.
    world.open_price(Some(fixture::tenant()), "0.03", 0).await;
    assert_eq!(world.settle(&[settlement(2)]).await, [CHARGED]);
    let prices: Vec<_> = world.charges().await;
    assert_eq!(
        prices,
        [(1, "0.050000".to_owned()), (2, "0.030000".to_owned())]
    );
    assert_eq!(world.metrics.rerated.get(), 1);
}

#[tokio::test]
async fn a_charge_rests_on_the_account_that_pays_and_on_no_other() {
    let world = World::start().await;
    world.open_price(None, "0.05", 0).await;
    assert_eq!(world.settle(&[settlement(1)]).await, [CHARGED]);
    world.put_account(9, AccountTier::Custom).await;
    assert_eq!(world.settle(&[settlement(2)]).await, [CHARGED]);
    assert_eq!(world.metrics.rerated.get(), 0, "another account moved");
    world.put_account(4, AccountTier::Custom).await;
    assert_eq!(world.settle(&[settlement(3)]).await, [Disposition::Held]);
    assert_eq!(world.metrics.rerated.get(), 1, "its own account moved");
}

#[tokio::test]
async fn a_held_charge_is_rated_when_a_price_covers_it() {
    let world = World::start().await;
    assert_eq!(world.settle(&[settlement(1)]).await, [Disposition::Held]);
    assert!(
        matches!(&world.stream(1).await[..], [Event::ChargeHeld(held)]
        if held.reason == HoldReason::NoPrice)
    );
    assert_eq!(world.rate_held([1]).await, 0, "nothing covers it");
    world.open_price(None, "0.05", 0).await;
    assert_eq!(
        world.settle(&[settlement(1)]).await,
        [Disposition::Duplicate]
    );
    assert_eq!(world.rate_held([1]).await, 1);
    assert_eq!(world.rate_held([1]).await, 0, "charged once");
    assert_eq!(world.charges().await, [(1, "0.050000".to_owned())]);
}

#[tokio::test]
async fn a_turn_beyond_one_transaction_is_charged_whole() {
    let world = World::start().await;
    world.open_price(None, "0.05", 0).await;
    let all: Vec<_> = (0..2_500).map(settlement).collect();
    assert!(world.settle(&all).await.iter().all(|one| *one == CHARGED));
    assert_eq!(world.store.head().await.expect("head"), Position(2_501));
}

#[tokio::test]
async fn a_charge_that_the_log_refuses_holds_up_no_other_and_comes_again() {
    let world = World::start().await;
    world.open_price(None, "0.05", 0).await;
    world.fail_next(Some(Fault::Refused(1)));
    let three = [settlement(1), settlement(2), settlement(3)];
    let dispositions = world.settle(&three).await;
    assert_eq!(dispositions, [CHARGED, Disposition::Again, CHARGED]);
    let dispositions = world.settle(&three).await;
    assert_eq!(
        dispositions,
        [Disposition::Duplicate, CHARGED, Disposition::Duplicate]
    );
}

#[tokio::test]
async fn a_charge_that_loses_money_is_counted() {
    let world = World::start().await;
    world.open_price(None, "0.01", 0).await;
    world.open_cost("0.02", 0).await;
    assert_eq!(
        world.settle(&[settlement(1)]).await,
        [Disposition::Charged {
            negative_margin: true,
            cost_missing: false,
            margin_unknown: false,
        }]
    );
    assert_eq!(world.metrics.negative_margin.get(), 1);
}
