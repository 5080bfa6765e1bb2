//! What accounts may become: it says, it refuses, it stays quiet.

use eventstore::seal::DataKey;
use schema::{
    AccountId, AccountTier, CountryCode, Currency, InvoiceLanguage, PaymentDays, StreamVersion,
    TaxCategory, TaxRate, event::AccountTax,
};
use uuid::Uuid;

use super::*;
use crate::runtime::decider::testing::{self, Given};

pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros).expect("a time")
}

/// An account of this tier that pays in euros.
pub(crate) fn facts(account_tier: AccountTier) -> AccountFacts {
    AccountFacts {
        account_id: AccountId(Uuid::from_u128(4)),
        account_tier,
        currency: Currency::parse("EUR").expect("exists"),
        payment_terms_days: PaymentDays::default(),
        invoice_language: InvoiceLanguage::default(),
        tax: AccountTax {
            category: TaxCategory::Z,
            rate: TaxRate::ZERO,
            country: CountryCode::parse("DE").expect("exists"),
        },
    }
}

fn put(request: u128, tier: AccountTier, name: &str) -> PutAccount {
    PutAccount {
        account: facts(tier),
        private: AccountPrivate {
            legal_name: (!name.is_empty()).then(|| Personal::new(name.into())),
            ..AccountPrivate::default()
        },
        effective_from: None,
        charged: None,
        tenant: TenantKey {
            pseudonym: Pseudonym(Uuid::from_u128(5)),
            key: Some(DataKey::new(1, &[1; 32])),
        },
        log: LogId::DEFAULT,
        condition: Condition::Any,
        origin: Origin::of_request(request),
    }
}

fn stream() -> StreamId {
    StreamId::account(AccountId(Uuid::from_u128(4)))
}

fn given(before: &[PutAccount]) -> Given<AccountDecider> {
    testing::given(stream(), before)
}

#[test]
fn an_account_is_registered_once_and_then_changed() {
    let first = put(1, AccountTier::Growth, "Ada");
    assert!(matches!(
        given(&[]).when(&first)[..],
        [Event::AccountRegistered(_)]
    ));
    for other in [
        put(2, AccountTier::Custom, "Ada"),
        put(2, AccountTier::Growth, "Eva"),
        put(2, AccountTier::Growth, ""),
    ] {
        let events = given(std::slice::from_ref(&first)).when(&other);
        assert!(
            matches!(events[..], [Event::AccountChanged(_)]),
            "{other:?}"
        );
    }
}

/// The same, asked at this time.
fn asked(at: Timestamp, put: PutAccount) -> PutAccount {
    PutAccount {
        origin: put.origin.at(at),
        ..put
    }
}

/// The same, to begin at this time.
fn from(begins: i64, put: PutAccount) -> PutAccount {
    PutAccount {
        effective_from: Some(at(begins)),
        ..put
    }
}

/// From one time to another, or for good.
fn stretch(from: i64, to: Option<i64>) -> Period {
    Period {
        effective_from: at(from),
        effective_to: to.map(at),
    }
}

fn tier_at(given: &Given<AccountDecider>, time: i64) -> Option<AccountTier> {
    let known = given.state.registered().expect("registered");
    let version = known.timeline.at(at(time));
    version.map(|version| version.facts.account_tier)
}

#[test]
fn a_version_begins_when_it_is_asked_for_unless_it_says_otherwise() {
    let between = PutAccount {
        charged: Some(Charged {
            period: stretch(150, Some(200)),
            otherwise: false,
        }),
        ..from(150, put(3, AccountTier::Custom, "Ada"))
    };
    let known = given(&[
        asked(at(100), put(1, AccountTier::Starter, "Ada")),
        asked(at(200), put(2, AccountTier::Growth, "Ada")),
        asked(at(300), between),
        asked(at(300), from(400, put(4, AccountTier::Enterprise, "Ada"))),
    ]);
    for (time, tier) in [
        (99, None),
        (100, Some(AccountTier::Starter)),
        (150, Some(AccountTier::Custom)),
        (200, Some(AccountTier::Growth)),
        (399, Some(AccountTier::Growth)),
        (400, Some(AccountTier::Enterprise)),
    ] {
        assert_eq!(tier_at(&known, time), tier, "{time}");
    }
}

#[test]
fn no_request_takes_effect_before_the_one_decided_before_it() {
    let known = given(&[
        asked(at(200), put(1, AccountTier::Starter, "Ada")),
        // A node whose clock is behind.
        asked(at(190), put(2, AccountTier::Growth, "Ada")),
    ]);
    assert_eq!(tier_at(&known, 190), None);
    assert_eq!(tier_at(&known, 200), Some(AccountTier::Growth));
}

#[test]
fn a_version_told_again_with_the_same_beginning_takes_the_place_of_the_first() {
    let mut known = given(&[from(100, put(1, AccountTier::Starter, "Ada"))]);
    assert_eq!(
        known.when(&from(100, put(2, AccountTier::Starter, "Ada"))),
        []
    );
    // To begin at another time is something new, even if nothing else is.
    assert_eq!(
        known
            .and(&from(200, put(3, AccountTier::Starter, "Ada")))
            .len(),
        1
    );
    assert_eq!(
        known
            .and(&from(100, put(4, AccountTier::Growth, "Ada")))
            .len(),
        1
    );
    assert_eq!(tier_at(&known, 199), Some(AccountTier::Growth));
    assert_eq!(tier_at(&known, 200), Some(AccountTier::Starter));
}

#[test]
fn no_version_changes_the_tier_or_the_currency_that_a_charge_rests_on() {
    let known = given(&[
        from(100, put(1, AccountTier::Starter, "Ada")),
        from(300, put(2, AccountTier::Growth, "Ada")),
    ]);
    // What the account pays by between 200 and 300 is to change, long after that.
    let mut dollars = from(200, put(3, AccountTier::Starter, "Ada"));
    dollars.account.currency = Currency::parse("USD").expect("exists");
    for told in [from(200, put(3, AccountTier::Custom, "Ada")), dollars] {
        let told = asked(at(900), told);
        let period = stretch(200, Some(300));
        let seen = |period, otherwise| PutAccount {
            charged: Some(Charged { period, otherwise }),
            ..told.clone()
        };
        assert_eq!(known.refuses(&told), Refusal::Unseen(period));
        let other = seen(stretch(200, None), false);
        assert_eq!(
            known.refuses(&other),
            Refusal::Unseen(period),
            "of a longer time"
        );
        assert_eq!(known.refuses(&seen(period, true)), Refusal::WouldReprice);
        assert_eq!(known.when(&seen(period, false)).len(), 1);
    }
    let renamed = asked(at(900), from(200, put(3, AccountTier::Starter, "Eva")));
    assert_eq!(
        known.when(&renamed).len(),
        1,
        "a name may be told of any time"
    );
    let earlier = asked(at(900), from(50, put(3, AccountTier::Starter, "Ada")));
    let before = Refusal::Unseen(stretch(50, Some(100)));
    assert_eq!(known.refuses(&earlier), before, "settlements had the word");
    let to_come = asked(at(900), from(950, put(3, AccountTier::Custom, "Ada")));
    assert_eq!(known.when(&to_come).len(), 1);
}

#[test]
fn to_say_again_what_is_known_adds_nothing() {
    let known = given(&[
        put(1, AccountTier::Growth, "Ada"),
        put(2, AccountTier::Growth, "Eva"),
    ]);
    assert_eq!(known.when(&put(3, AccountTier::Growth, "Eva")), []);
    assert_eq!(
        known.when(&put(1, AccountTier::Growth, "Ada")),
        [],
        "a late repeat"
    );
}

#[test]
fn a_change_of_what_the_caller_has_not_seen_is_refused() {
    let known = given(&[put(1, AccountTier::Growth, "Ada")]);
    let given_that = |condition| PutAccount {
        condition,
        ..put(2, AccountTier::Custom, "Ada")
    };
    let seen = |position| given_that(Condition::ChangedAt(Position(position)));
    let changed = |position| Refusal::Changed {
        position: Position(position),
    };
    assert_eq!(known.refuses(&seen(7)), changed(1));
    assert_eq!(known.when(&seen(1)).len(), 1);
    assert_eq!(given(&[]).refuses(&seen(1)), changed(0));
    let registered = given_that(Condition::Registered);
    assert_eq!(known.when(&registered).len(), 1);
    assert_eq!(given(&[]).refuses(&registered), changed(0));
}

#[test]
fn an_account_belongs_to_the_tenant_that_registered_it() {
    let first = put(1, AccountTier::Growth, "Ada");
    let mut thief = put(2, AccountTier::Growth, "Ada");
    thief.tenant.pseudonym = Pseudonym(Uuid::from_u128(6));
    let known = given(std::slice::from_ref(&first));
    assert_eq!(known.refuses(&thief), Refusal::OfAnotherTenant);
    thief.condition = Condition::ChangedAt(Position(1));
    assert_eq!(known.refuses(&thief), Refusal::OfAnotherTenant);
    let other = given(std::slice::from_ref(&PutAccount {
        condition: Condition::Any,
        ..thief
    }));
    assert_eq!(other.refuses(&first), Refusal::OfAnotherTenant);
}

#[test]
fn an_account_of_an_erased_tenant_stays_as_it_is_and_a_new_one_takes_a_new_registration() {
    let first = put(1, AccountTier::Growth, "Ada");
    let mut erased = put(2, AccountTier::Custom, "Ada");
    erased.tenant.key = None;
    let known = given(std::slice::from_ref(&first));
    assert_eq!(known.refuses(&erased), Refusal::OfAnotherTenant);
    assert_eq!(given(&[]).refuses(&erased), Refusal::OfErasedTenant);
}

#[test]
fn the_name_is_sealed_to_the_event() {
    let place = |version| EventPlace {
        log: LogId::DEFAULT,
        stream: stream(),
        version: StreamVersion(version),
    };
    let command = put(1, AccountTier::Growth, "Ada");
    let (first, second) = (command.seal(place(1)), command.seal(place(2)));
    assert_ne!(first, second);
    assert!(!first.stored().expect("sealed").contains("Ada"));
}
