//! Adjustments on a log in memory.

use eventstore::memory::MemoryStore;
use schema::{AccountTier, event::AccountFacts};
use uuid::Uuid;

use super::*;
use crate::{
    accounts::{
        self,
        commands::{AccountDetails, Commands as AccountCommands, tests::ChargedOtherwise},
        decide::{AccountPrivate, Condition},
    },
    fixture::{Actors, Keys},
};

const ACCOUNT: AccountId = AccountId(Uuid::from_u128(4));

/// Whatever was charged, was charged in dollars.
struct Dollars;

#[async_trait]
impl PaidCurrencies for Dollars {
    async fn paid_in(&self, _: TenantId, _: AccountId, paid: Currency) -> Result<bool, ViewError> {
        Ok(paid == currency("USD"))
    }
}

fn currency(code: &str) -> Currency {
    Currency::parse(code).expect("exists")
}

fn person(name: &str) -> Person {
    Person {
        issuer: "https://identity.example".to_owned(),
        subject: name.to_owned(),
    }
}

/// An account that pays in euros.
async fn registered(actors: &Actors) {
    let charges = Arc::new(ChargedOtherwise(false));
    let accounts = AccountCommands::new(Arc::new(Keys), LogId::DEFAULT, charges);
    let opened = accounts.open(&actors.log, 10, actors.root());
    opened.await.expect("starts");
    let details = AccountDetails {
        tenant: TenantId(Uuid::from_u128(9)),
        account: AccountFacts {
            account_id: ACCOUNT,
            ..accounts::decide::tests::facts(AccountTier::Growth)
        },
        private: AccountPrivate::default(),
        effective_from: None,
    };
    let put = accounts.put(Origin::of_request(1), details, Condition::Any);
    put.await.expect("registered");
}

/// A node.
async fn node(store: &Arc<MemoryStore>) -> (Actors, Commands) {
    let actors = Actors::on(Arc::clone(store) as _).await;
    let log = Arc::clone(store) as _;
    let commands = Commands::new(Arc::new(Keys), log, LogId::DEFAULT, Arc::new(Dollars));
    let opened = commands.open(&actors.log, 10, actors.root());
    opened.await.expect("starts");
    (actors, commands)
}

fn facts(code: &str) -> AdjustmentFacts {
    AdjustmentFacts {
        adjustment_id: AdjustmentId(Uuid::from_u128(7)),
        account_id: ACCOUNT,
        amount: "-3".parse().expect("an amount"),
        currency: currency(code),
        message_id: None,
    }
}

fn why() -> Personal {
    Personal::new("a conflict".into())
}

async fn propose(commands: &Commands, code: &str) -> Result<Written, CommandError<Refusal>> {
    let origin = Origin::of_request(2);
    commands
        .propose(origin, person("anna"), facts(code), why())
        .await
}

fn approval() -> Decision {
    Decision {
        adjustment: facts("EUR").adjustment_id,
        verdict: Verdict::Approved,
        reason: None,
        if_at: None,
    }
}

#[tokio::test]
async fn an_account_is_adjusted_in_what_it_pays_in_or_has_paid_in() {
    for (code, accepted) in [("EUR", true), ("USD", true), ("CHF", false)] {
        let store = Arc::new(MemoryStore::default());
        let (actors, commands) = node(&store).await;
        assert!(matches!(
            propose(&commands, code).await,
            Err(CommandError::Refused(Refusal::AccountUnknown))
        ));
        registered(&actors).await;
        match propose(&commands, code).await {
            Ok(written) => assert!(accepted && written.position == Position(2)),
            Err(CommandError::Refused(Refusal::OtherCurrency)) => assert!(!accepted, "{code}"),
            other => panic!("{other:?}"),
        }
        actors.stop().await;
    }
}

#[tokio::test]
async fn two_who_approve_at_once_on_two_nodes_make_one_event() {
    let store = Arc::new(MemoryStore::default());
    let (one, ours) = node(&store).await;
    let (other, theirs) = node(&store).await;
    registered(&one).await;
    propose(&ours, "EUR").await.expect("proposed");
    let approve = |commands: &Commands, request, name: &'static str| {
        let (commands, origin) = (commands.clone(), Origin::of_request(request));
        async move { commands.decide(origin, person(name), approval()).await }
    };
    let (first, second) = tokio::join!(approve(&ours, 3, "bert"), approve(&theirs, 4, "cora"));
    let outcomes = [first, second];
    let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let lost = outcomes.iter().filter(|outcome| {
        let refused = CommandError::Refused(Refusal::AlreadyDecided);
        matches!(outcome, Err(error) if format!("{error:?}") == format!("{refused:?}"))
    });
    assert_eq!((won, lost.count()), (1, 1), "{outcomes:?}");
    assert_eq!(store.head().await.expect("head"), Position(3));
    // Each node says the same to whoever asks again.
    let unknown = Decision {
        adjustment: AdjustmentId(Uuid::from_u128(8)),
        ..approval()
    };
    let unknown = theirs.decide(Origin::of_request(5), person("bert"), unknown);
    assert!(matches!(
        unknown.await,
        Err(CommandError::Refused(Refusal::NotFound))
    ));
    one.stop().await;
    other.stop().await;
}
