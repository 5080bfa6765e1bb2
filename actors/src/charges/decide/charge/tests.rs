//! What is a repeat, what contradicts, and what is kept of that.

use eventstore::LogId;
use schema::{
    AccountTier, Direction, OperatorId, Status, StreamId, StreamVersion, Timestamp,
    event::{ChargeHeld, HoldReason, PayerSource},
};
use uuid::Uuid;

use super::*;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).expect("a time")
}

fn request() -> ChargeRequest {
    ChargeRequest::new(
        Pseudonym(Uuid::from_u128(5)),
        AccountId(Uuid::from_u128(4)),
        Settlement {
            source_event_id: Uuid::from_u128(1),
            message_id: MessageId(Uuid::from_u128(3)),
            operator_id: OperatorId(Uuid::from_u128(2)),
            direction: Direction::Mt,
            segment_count: 3,
            dlr_status: Status::Delivered,
            occurred_at: at(1),
            charged_at: at(1),
            stated_tier: None,
            stated_currency: None,
            received_at: at(2),
        },
        None,
    )
}

fn recorded(request: &ChargeRequest, event: Event) -> EventData {
    let place = EventPlace {
        log: LogId::DEFAULT,
        stream: StreamId::charge(request.message()),
        version: StreamVersion(1),
    };
    request.record(place, event)
}

fn held() -> EventData {
    held_for(PayerSource::Stated)
}

fn held_for(payer: PayerSource) -> EventData {
    let first = request();
    let held = ChargeHeld {
        settlement: first.settlement.clone(),
        payer,
        account_tier: None,
        currency: None,
        rated_at: at(1),
        reason: HoldReason::NoPrice,
    };
    recorded(&first, Event::ChargeHeld(held))
}

fn given(before: &[EventData]) -> Charge {
    let mut charge = Charge::default();
    for fact in before {
        charge.fold(fact);
    }
    charge
}

fn contradiction(charge: &Charge, request: &ChargeRequest) -> EventData {
    match charge.compare(request) {
        Comparison::Contradiction(decision) => {
            assert_eq!(decision.guards, [], "it rests on its stream alone");
            let [event] = <[Event; 1]>::try_from(decision.events).expect("one event");
            recorded(request, event)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_settlement_of_a_message_is_to_be_rated() {
    assert_eq!(given(&[]).compare(&request()), Comparison::First);
}

#[test]
fn the_same_settlement_again_is_a_repeat_however_it_came() {
    let mut again = request();
    again.settlement.source_event_id = Uuid::from_u128(77);
    again.settlement.received_at = at(99);
    again.origin.trace = Some("00-1-2-01".into());
    assert_eq!(given(&[held()]).compare(&again), Comparison::Repeat);
}

#[test]
fn other_content_is_kept_once_and_the_first_stays() {
    let mut other = request();
    other.settlement.segment_count = 4;
    other.account = AccountId(Uuid::from_u128(44));
    other.settlement.stated_tier = Some(AccountTier::Custom);
    let fact = contradiction(&given(&[held()]), &other);
    let Event::ChargeConflictRecorded(conflict) = &fact.event else {
        panic!("{fact:?}");
    };
    assert_eq!(
        conflict.differs,
        ["segmentCount", "accountTier", "accountId"]
    );
    let first = &conflict.first;
    let stands = (first.tenant, first.account_id, first.settlement.clone());
    let request = request();
    assert_eq!(
        stands,
        (request.tenant, request.account, request.settlement)
    );
    let charge = given(&[held(), fact]);
    other.settlement.received_at = at(99);
    assert_eq!(charge.compare(&other), Comparison::Repeat);
    assert_eq!(charge.compare(&self::request()), Comparison::Repeat);
    other.settlement.segment_count = 5;
    assert!(matches!(
        charge.compare(&other),
        Comparison::Contradiction(_)
    ));
}

#[test]
fn where_the_registration_says_who_pays_a_stated_tier_or_currency_contradicts_nothing() {
    let registered = given(&[held_for(PayerSource::Registered)]);
    let mut other = request();
    other.settlement.stated_tier = Some(AccountTier::Custom);
    other.settlement.stated_currency = schema::Currency::parse("EUR");
    assert_eq!(registered.compare(&other), Comparison::Repeat);
    assert!(matches!(
        given(&[held()]).compare(&other),
        Comparison::Contradiction(_)
    ));
    other.settlement.segment_count = 4;
    let fact = contradiction(&registered, &other);
    let Event::ChargeConflictRecorded(conflict) = &fact.event else {
        panic!("{fact:?}");
    };
    assert_eq!(conflict.differs, ["segmentCount"]);
}

#[test]
fn every_field_that_differs_makes_another_fact() {
    let mut others = Vec::new();
    let mut other = |change: fn(&mut ChargeRequest)| {
        let mut request = request();
        change(&mut request);
        others.push(contradiction(&given(&[held()]), &request).id);
    };
    other(|it| it.tenant = Pseudonym(Uuid::from_u128(55)));
    other(|it| it.account = AccountId(Uuid::from_u128(44)));
    other(|it| it.settlement.operator_id = OperatorId(Uuid::from_u128(22)));
    other(|it| it.settlement.direction = Direction::Mo);
    other(|it| it.settlement.segment_count = 4);
    other(|it| it.settlement.dlr_status = Status::Failed);
    other(|it| it.settlement.occurred_at = at(5));
    other(|it| it.settlement.charged_at = at(5));
    other(|it| it.settlement.stated_tier = Some(AccountTier::Starter));
    other(|it| it.settlement.stated_currency = schema::Currency::parse("EUR"));
    let distinct: BTreeSet<_> = others.iter().collect();
    assert_eq!(distinct.len(), others.len());
}

#[test]
fn a_held_charge_waits_with_the_tenant_and_account_of_the_first() {
    let Charge::Held(settled) = given(&[held()]) else {
        panic!("held");
    };
    assert_eq!(settled.first, request());
    assert_eq!(held().id, EventId::of_held_charge(request().message()));
    let stream = StreamId::charge(request().message());
    assert_eq!(stream.id, request().message().0);
}
