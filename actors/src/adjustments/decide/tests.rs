//! Rules of adjustments, as given / when / then.

use eventstore::seal::DataKey;
use schema::MessageId;
use uuid::Uuid;

use super::*;
use crate::runtime::decider::testing::{self, Given};

const ADJUSTMENT: AdjustmentId = AdjustmentId(Uuid::from_u128(1));
const ACCOUNT: AccountId = AccountId(Uuid::from_u128(4));

fn currency(code: &str) -> Currency {
    Currency::parse(code).expect("exists")
}

fn by(request: u128, name: &str) -> By {
    By {
        person: Person {
            issuer: "https://identity.example".to_owned(),
            subject: name.to_owned(),
        },
        log: LogId::DEFAULT,
        origin: Origin::of_request(request),
    }
}

fn tenant() -> TenantKey {
    TenantKey {
        pseudonym: Pseudonym(Uuid::from_u128(5)),
        key: Some(DataKey::new(1, &[1; 32])),
    }
}

fn proposal(code: &str) -> Propose {
    Propose {
        facts: AdjustmentFacts {
            adjustment_id: ADJUSTMENT,
            account_id: ACCOUNT,
            amount: "-12.50".parse().expect("an amount"),
            currency: currency(code),
            message_id: None,
        },
        reason: Personal::new("Ada was charged twice".into()),
        payer: Payer {
            tenant: tenant(),
            currencies: [currency("EUR")].into(),
            guard: Guard {
                stream: StreamId::account(ACCOUNT),
                version: StreamVersion(3),
            },
        },
        charge: None,
        by: by(1, "anna"),
    }
}

fn propose(proposal: Propose) -> AdjustmentCommand {
    AdjustmentCommand::Propose(Box::new(proposal))
}

fn decide(verdict: Verdict, name: &str) -> Decide {
    Decide {
        adjustment: ADJUSTMENT,
        verdict,
        reason: (verdict == Verdict::Rejected).then(|| Personal::new("Bert says no".into())),
        tenant: tenant(),
        if_at: None,
        by: by(2, name),
    }
}

fn decided(verdict: Verdict, name: &str) -> AdjustmentCommand {
    AdjustmentCommand::Decide(Box::new(decide(verdict, name)))
}

fn given(before: &[AdjustmentCommand]) -> Given<AdjustmentDecider> {
    testing::given(StreamId::adjustment(ADJUSTMENT), before)
}

fn proposed() -> AdjustmentCommand {
    propose(proposal("EUR"))
}

#[test]
fn a_proposal_rests_on_the_account_as_it_is() {
    let decision = given(&[]).decision(&proposed());
    assert!(matches!(
        decision.events[..],
        [Event::AdjustmentProposed(_)]
    ));
    assert_eq!(decision.guards, [proposal("EUR").payer.guard]);
}

#[test]
fn an_adjustment_is_in_a_currency_that_the_account_pays_in() {
    let refusal = given(&[]).refuses(&propose(proposal("USD")));
    assert_eq!(refusal, Refusal::OtherCurrency);
}

#[test]
fn what_is_about_a_charge_is_of_its_account_and_in_its_currency() {
    let about = |code: &str, charge| {
        let mut proposal = proposal(code);
        proposal.facts.message_id = Some(MessageId(Uuid::from_u128(7)));
        proposal.charge = charge;
        propose(proposal)
    };
    let charged = |account, code: &str| {
        Some(Charged {
            account: Some(AccountId(Uuid::from_u128(account))),
            currency: currency(code),
        })
    };
    // It was charged in dollars when the account paid in them.
    assert_eq!(given(&[]).when(&about("USD", charged(4, "USD"))).len(), 1);
    for (command, refusal) in [
        (about("EUR", charged(4, "USD")), Refusal::OtherCurrency),
        (about("EUR", charged(6, "EUR")), Refusal::OtherMessage),
        (about("EUR", None), Refusal::OtherMessage),
    ] {
        assert_eq!(given(&[]).refuses(&command), refusal);
    }
}

#[test]
fn a_repeated_proposal_adds_nothing_and_another_under_its_name_is_refused() {
    let mut given = given(&[proposed()]);
    for _ in 0..2 {
        assert!(given.when(&proposed()).is_empty());
        let mut other = proposal("EUR");
        other.reason = Personal::new("Eva was charged twice".into());
        assert_eq!(given.refuses(&propose(other)), Refusal::KeyReused);
        let mut other = proposal("EUR");
        other.facts.amount = "12.50".parse().expect("an amount");
        assert_eq!(given.refuses(&propose(other)), Refusal::KeyReused);
        // The same once it is decided.
        given.and(&decided(Verdict::Approved, "bert"));
    }
}

#[test]
fn another_person_approves_and_the_event_names_both() {
    let events = given(&[proposed()]).when(&decided(Verdict::Approved, "bert"));
    let [Event::AdjustmentApproved(approved)] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(approved.adjustment, proposal("EUR").facts);
    assert_eq!(approved.proposed_by.subject, "anna");
    assert_eq!(approved.approved_by.subject, "bert");
}

#[test]
fn who_proposed_it_may_not_approve_it_and_may_reject_it() {
    let given = given(&[proposed()]);
    let refusal = given.refuses(&decided(Verdict::Approved, "anna"));
    assert_eq!(refusal, Refusal::OwnProposal);
    let events = given.when(&decided(Verdict::Rejected, "anna"));
    assert!(matches!(events[..], [Event::AdjustmentRejected(_)]));
}

#[test]
fn somebody_of_that_name_with_another_issuer_is_another_person() {
    let mut other = decide(Verdict::Approved, "anna");
    other.by.person.issuer = "https://elsewhere.example".to_owned();
    let command = AdjustmentCommand::Decide(Box::new(other));
    assert_eq!(given(&[proposed()]).when(&command).len(), 1);
}

#[test]
fn it_is_decided_once_and_to_say_it_again_adds_nothing() {
    for verdict in [Verdict::Approved, Verdict::Rejected] {
        let given = given(&[proposed(), decided(verdict, "bert")]);
        assert!(given.when(&decided(verdict, "bert")).is_empty());
        for (verdict, name) in [
            (Verdict::Approved, "cora"),
            (Verdict::Rejected, "cora"),
            (Verdict::Approved, "anna"),
        ] {
            let refusal = given.refuses(&decided(verdict, name));
            assert_eq!(refusal, Refusal::AlreadyDecided);
        }
    }
    let unknown = given(&[]).refuses(&decided(Verdict::Approved, "bert"));
    assert_eq!(unknown, Refusal::NotFound);
}

#[test]
fn who_insists_on_what_they_saw_decides_nothing_else() {
    let insisting = |at| {
        let if_at = Some(Position(at));
        AdjustmentCommand::Decide(Box::new(Decide {
            if_at,
            ..decide(Verdict::Approved, "bert")
        }))
    };
    let mut given = given(&[proposed()]);
    let position = Position(1);
    let refusal = given.refuses(&insisting(2));
    assert_eq!(refusal, Refusal::Changed { position });
    assert_eq!(given.and(&insisting(1)).len(), 1);
    // Asked again because the answer was lost.
    assert!(given.when(&insisting(1)).is_empty());
}

#[test]
fn reasons_are_sealed_and_an_erased_tenant_has_none() {
    let sealed = |command: &AdjustmentCommand| {
        let event = given(&[]).when(&proposed()).remove(0);
        let place = EventPlace {
            log: LogId::DEFAULT,
            stream: command.stream(),
            version: StreamVersion(1),
        };
        let data = command.record(place, event);
        assert!(!data.event.payload().contains("charged twice"));
        (data.tenant, data.account, data.sealed.0.len())
    };
    let pseudonym = Some(tenant().pseudonym);
    assert_eq!(sealed(&proposed()), (pseudonym, Some(ACCOUNT), 1));
    let mut erased = decide(Verdict::Rejected, "bert");
    erased.tenant.key = None;
    let erased = AdjustmentCommand::Decide(Box::new(erased));
    assert_eq!(sealed(&erased), (pseudonym, Some(ACCOUNT), 0));
}
