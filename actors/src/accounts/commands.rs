//! What the edge may ask of accounts.

use std::sync::Arc;

use async_trait::async_trait;
use eventstore::{
    LogId,
    keyring::{Keyring, KeyringError, KnownTenant, TenantKey},
};
use ractor::{ActorRef, SpawnErr};
use schema::{Period, TenantId, Timestamp, event::AccountFacts};

use super::decide::{AccountDecider, AccountPrivate, Charged, Condition, PutAccount, Refusal};
use crate::runtime::{
    commands::{CommandError, Dispatcher, Written},
    log_handle::LogHandle,
    origin::Origin,
    view::ViewError,
};

/// What an account is to be.
#[derive(Debug, Clone)]
pub struct AccountDetails {
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// What it is.
    pub account: AccountFacts,
    /// What is a person's, or may be.
    pub private: AccountPrivate,
    /// From when on; now, if nothing is said.
    pub effective_from: Option<Timestamp>,
}

/// A stretch of time in which an account is to pay by this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repricing {
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// The account, with its tier and its currency.
    pub account: AccountFacts,
    /// The stretch.
    pub period: Period,
}

/// What is shown of an account's charges, so that no version of it changes what one rests on. See
/// `docs/adr/0042-accounts-are-timelines.md`.
#[async_trait]
pub trait AccountCharges: Send + Sync + 'static {
    /// Whether the tenant was charged on the account for an instant of the stretch by another tier
    /// or in another currency. Whatever the log has when this is asked is seen.
    ///
    /// # Errors
    /// The view cannot be asked, or is too far behind.
    async fn charged_otherwise(&self, repricing: Repricing) -> Result<bool, ViewError>;
}

/// How often what was charged is looked at again because the account moved meanwhile.
const TRIES: usize = 8;

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Commands {
    keyring: Arc<dyn Keyring>,
    log: LogId,
    accounts: Dispatcher<AccountDecider>,
    charges: Arc<dyn AccountCharges>,
}

impl Commands {
    /// Commands that are carried out once they are opened, in this log; `keyring` has the keys that
    /// names and addresses are sealed with, and `charges` says what was charged already.
    #[must_use]
    pub fn new(keyring: Arc<dyn Keyring>, log: LogId, charges: Arc<dyn AccountCharges>) -> Self {
        Self {
            keyring,
            log,
            accounts: Dispatcher::default(),
            charges,
        }
    }

    /// Starts the actors that decide, below `root`.
    pub(crate) async fn open(
        &self,
        log: &LogHandle,
        live_max: usize,
        root: &ActorRef<()>,
    ) -> Result<(), SpawnErr> {
        self.accounts.open(log, live_max, root).await
    }

    /// Registers an account, or tells of another version of it, on this condition.
    ///
    /// # Errors
    /// It belongs to another tenant, is not as the caller saw it, would pay otherwise for what was
    /// charged, or a fault.
    pub async fn put(
        &self,
        origin: Origin,
        details: AccountDetails,
        condition: Condition,
    ) -> Result<Written, CommandError<Refusal>> {
        let tenant = details.tenant;
        let known = self.keyring.of_tenant(tenant).await;
        let mut command = PutAccount {
            account: details.account,
            private: details.private,
            effective_from: details.effective_from,
            charged: None,
            tenant: unlocked(known)?,
            log: self.log,
            condition,
            origin,
        };
        match self.dispatch(tenant, &mut command).await {
            // A new account: the tenant comes back, as somebody new to the log.
            Err(CommandError::Refused(Refusal::OfErasedTenant)) => {}
            other => return other,
        }
        command.tenant = unlocked(self.keyring.registered(tenant).await)?;
        self.dispatch(tenant, &mut command).await
    }

    /// Has the command decided; looks at what was charged, if the answer hangs on that.
    async fn dispatch(
        &self,
        tenant: TenantId,
        command: &mut PutAccount,
    ) -> Result<Written, CommandError<Refusal>> {
        for _ in 0..TRIES {
            let put = self.accounts.dispatch(command.stream(), command.clone());
            let period = match put.await {
                Err(CommandError::Refused(Refusal::Unseen(period))) => period,
                other => return other,
            };
            let account = command.account;
            let repricing = Repricing {
                tenant,
                account,
                period,
            };
            let otherwise = self.charges.charged_otherwise(repricing).await;
            let otherwise = otherwise.map_err(CommandError::View)?;
            command.charged = Some(Charged { period, otherwise });
        }
        Err(CommandError::Contended)
    }
}

fn unlocked(known: Result<KnownTenant, KeyringError>) -> Result<TenantKey, CommandError<Refusal>> {
    let tenant = known.map_err(CommandError::Keyring)?.unlocked();
    tenant.map_err(|locked| CommandError::Keyring(locked.into()))
}

#[cfg(test)]
pub(crate) mod tests {
    use eventstore::{EventStore as _, memory::MemoryStore};
    use schema::{AccountTier, Personal, Position};
    use uuid::Uuid;

    use super::*;
    use crate::{
        accounts::decide::tests::{at, facts},
        fixture::{Actors, Keys},
    };

    fn details(account_tier: AccountTier) -> AccountDetails {
        AccountDetails {
            tenant: TenantId(Uuid::from_u128(9)),
            account: facts(account_tier),
            private: AccountPrivate {
                legal_name: Some(Personal::new("Ada".into())),
                ..AccountPrivate::default()
            },
            effective_from: None,
        }
    }

    /// Whether anything was charged otherwise, whatever is asked.
    pub(crate) struct ChargedOtherwise(pub(crate) bool);

    #[async_trait]
    impl AccountCharges for ChargedOtherwise {
        async fn charged_otherwise(&self, _: Repricing) -> Result<bool, ViewError> {
            Ok(self.0)
        }
    }

    fn commands(otherwise: bool) -> Commands {
        let charges = Arc::new(ChargedOtherwise(otherwise));
        Commands::new(Arc::new(Keys), LogId::DEFAULT, charges)
    }

    #[tokio::test]
    async fn only_a_version_that_begins_in_the_past_is_held_up_by_what_was_charged() {
        for otherwise in [true, false] {
            let actors = Actors::on(Arc::new(MemoryStore::default()) as _).await;
            let commands = commands(otherwise);
            let opened = commands.open(&actors.log, 10, actors.root());
            opened.await.expect("starts");
            let put = |request, effective_from, tier| {
                let details = AccountDetails {
                    effective_from,
                    ..details(tier)
                };
                let origin = Origin::of_request(request).at(at(20));
                commands.put(origin, details, Condition::Any)
            };
            match put(1, Some(at(10)), AccountTier::Growth).await {
                Err(CommandError::Refused(Refusal::WouldReprice)) => assert!(otherwise),
                other => assert!(!otherwise && other.expect("written").new),
            }
            let future = put(2, Some(at(30)), AccountTier::Custom).await;
            assert!(future.expect("written").new);
            let now = put(3, None, AccountTier::Starter).await;
            assert!(now.expect("written").new);
            actors.stop().await;
        }
    }

    #[tokio::test]
    async fn a_refusal_says_why_and_writes_nothing() {
        let store = Arc::new(MemoryStore::default());
        let actors = Actors::on(Arc::clone(&store) as _).await;
        let commands = commands(false);
        commands
            .open(&actors.log, 10, actors.root())
            .await
            .expect("starts");
        let put = |condition| {
            let details = details(AccountTier::Growth);
            commands.put(Origin::of_request(2), details, condition)
        };
        assert!(matches!(
            put(Condition::ChangedAt(Position(7))).await,
            Err(CommandError::Refused(Refusal::Changed {
                position: Position::BEGINNING
            }))
        ));
        assert_eq!(store.head().await.expect("head"), Position::BEGINNING);
        let written = put(Condition::ChangedAt(Position::BEGINNING)).await;
        assert_eq!(written.expect("written").position, Position(1));
        actors.stop().await;
    }

    #[tokio::test]
    async fn commands_outlive_the_actors_behind_them() {
        let store = Arc::new(MemoryStore::default());
        let commands = commands(false);
        let put = |request, tier| {
            let commands = commands.clone();
            async move {
                let origin = Origin::of_request(request);
                commands.put(origin, details(tier), Condition::Any).await
            }
        };
        let waiting = tokio::spawn(put(1, AccountTier::Growth));
        let actors = Actors::on(Arc::clone(&store) as _).await;
        commands
            .open(&actors.log, 10, actors.root())
            .await
            .expect("starts");
        assert_eq!(
            waiting.await.expect("asked").expect("written").position,
            Position(1)
        );
        actors.stop().await;
        let waiting = tokio::spawn(put(2, AccountTier::Custom));
        let actors = Actors::on(store).await;
        commands
            .open(&actors.log, 10, actors.root())
            .await
            .expect("starts");
        assert_eq!(
            waiting.await.expect("asked").expect("written").position,
            Position(2)
        );
        actors.stop().await;
    }
}
