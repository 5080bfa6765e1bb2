//! What the edge may ask of accounts.

use std::sync::Arc;

use eventstore::{
    LogId,
    keyring::{Keyring, KeyringError, KnownTenant, TenantKey},
};
use ractor::{ActorRef, SpawnErr};
use schema::{Personal, TenantId, event::AccountFacts};

use super::decide::{AccountDecider, Condition, PutAccount, Refusal};
use crate::runtime::{
    commands::{CommandError, Dispatcher, Written},
    log_handle::LogHandle,
    origin::Origin,
};

/// What an account is to be.
#[derive(Debug, Clone)]
pub struct AccountDetails {
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// What it is.
    pub account: AccountFacts,
    /// The name on its invoices.
    pub billing_name: Option<Personal>,
    /// The address on its invoices.
    pub billing_address: Option<Personal>,
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Commands {
    keyring: Arc<dyn Keyring>,
    log: LogId,
    accounts: Dispatcher<AccountDecider>,
}

impl Commands {
    /// Commands that are carried out once they are opened, in this log; `keyring` has the keys that
    /// names and addresses are sealed with.
    #[must_use]
    pub fn new(keyring: Arc<dyn Keyring>, log: LogId) -> Self {
        Self {
            keyring,
            log,
            accounts: Dispatcher::default(),
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

    /// Registers an account, or changes it, on this condition.
    ///
    /// # Errors
    /// It belongs to another tenant, is not as the caller saw it, or a fault.
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
            billing_name: details.billing_name,
            billing_address: details.billing_address,
            tenant: unlocked(known)?,
            log: self.log,
            condition,
            origin,
        };
        let put = self.accounts.dispatch(command.stream(), command.clone());
        match put.await {
            // A new account: the tenant comes back, as somebody new to the log.
            Err(CommandError::Refused(Refusal::OfErasedTenant)) => {}
            other => return other,
        }
        command.tenant = unlocked(self.keyring.registered(tenant).await)?;
        self.accounts.dispatch(command.stream(), command).await
    }
}

fn unlocked(known: Result<KnownTenant, KeyringError>) -> Result<TenantKey, CommandError<Refusal>> {
    let tenant = known.map_err(CommandError::Keyring)?.unlocked();
    tenant.map_err(|locked| CommandError::Keyring(locked.into()))
}

#[cfg(test)]
mod tests {
    use eventstore::{EventStore as _, memory::MemoryStore};
    use schema::{AccountId, AccountTier, Currency, Position};
    use uuid::Uuid;

    use super::*;
    use crate::fixture::{Actors, Keys};

    fn details(account_tier: AccountTier) -> AccountDetails {
        AccountDetails {
            tenant: TenantId(Uuid::from_u128(9)),
            account: AccountFacts {
                account_id: AccountId(Uuid::from_u128(4)),
                account_tier,
                currency: Currency::parse("EUR").expect("exists"),
            },
            billing_name: Some(Personal::new("Ada".into())),
            billing_address: None,
        }
    }

    #[tokio::test]
    async fn a_refusal_says_why_and_writes_nothing() {
        let store = Arc::new(MemoryStore::default());
        let actors = Actors::on(Arc::clone(&store) as _).await;
        let commands = Commands::new(Arc::new(Keys), LogId::DEFAULT);
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
        let commands = Commands::new(Arc::new(Keys), LogId::DEFAULT);
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
