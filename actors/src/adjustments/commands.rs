//! What the edge may ask of adjustments.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use eventstore::{
    EventStore, Guard, LogId, RecordedEvent,
    keyring::{Keyring, KeyringError, TenantKey},
};
use ractor::{ActorRef, SpawnErr};
use schema::{
    AccountId, AdjustmentId, Currency, Event, Personal, Position, Pseudonym, StreamId, TenantId,
    event::{AdjustmentFacts, Person},
};

use super::decide::{
    AdjustmentCommand, AdjustmentDecider, By, Charged, Decide, Payer, Propose, Refusal, Verdict,
};
use crate::{
    accounts::decide::AccountDecider,
    runtime::{
        commands::{CommandError, Dispatcher, Written},
        decider::{folded, version_of},
        log_handle::LogHandle,
        origin::Origin,
        view::ViewError,
    },
};

/// How often a proposal is made anew when its account changes meanwhile.
const TRIES: usize = 4;

/// What was charged on accounts, as far as adjustments ask for it.
#[async_trait]
pub trait PaidCurrencies: Send + Sync + 'static {
    /// Whether anything was ever charged on the account in `currency`.
    ///
    /// # Errors
    /// The view cannot be asked.
    async fn paid_in(
        &self,
        tenant: TenantId,
        account: AccountId,
        currency: Currency,
    ) -> Result<bool, ViewError>;
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Commands {
    keyring: Arc<dyn Keyring>,
    store: Arc<dyn EventStore>,
    log: LogId,
    paid: Arc<dyn PaidCurrencies>,
    adjustments: Dispatcher<AdjustmentDecider>,
}

/// Whoever decides, and what they insist on.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The adjustment.
    pub adjustment: AdjustmentId,
    /// Which way.
    pub verdict: Verdict,
    /// Why; an approval needs no reason.
    pub reason: Option<Personal>,
    /// The position of the last change that they know of, where they insist on it.
    pub if_at: Option<Position>,
}

impl Commands {
    /// Commands that are carried out once they are opened, in this log; `keyring` has the keys that
    /// reasons are sealed with, `store` says what is known of accounts and charges, and `paid` what
    /// accounts have paid in.
    #[must_use]
    pub fn new(
        keyring: Arc<dyn Keyring>,
        store: Arc<dyn EventStore>,
        log: LogId,
        paid: Arc<dyn PaidCurrencies>,
    ) -> Self {
        Self {
            keyring,
            store,
            log,
            paid,
            adjustments: Dispatcher::default(),
        }
    }

    /// Starts the actors that decide, below `root`.
    pub(crate) async fn open(
        &self,
        log: &LogHandle,
        live_max: usize,
        root: &ActorRef<()>,
    ) -> Result<(), SpawnErr> {
        self.adjustments.open(log, live_max, root).await
    }

    /// Proposes that an account pays more or less.
    ///
    /// # Errors
    /// A refusal, or a fault.
    pub async fn propose(
        &self,
        origin: Origin,
        person: Person,
        facts: AdjustmentFacts,
        reason: Personal,
    ) -> Result<Written, CommandError<Refusal>> {
        let by = self.by(person, origin);
        for _ in 1..TRIES {
            match self.propose_once(&by, facts, &reason).await {
                // The account changed meanwhile, and is looked at again.
                Err(CommandError::Contended) => {}
                other => return other,
            }
        }
        self.propose_once(&by, facts, &reason).await
    }

    async fn propose_once(
        &self,
        by: &By,
        facts: AdjustmentFacts,
        reason: &Personal,
    ) -> Result<Written, CommandError<Refusal>> {
        let account = StreamId::account(facts.account_id);
        let mut streams = vec![account];
        streams.extend(facts.message_id.map(StreamId::charge));
        let histories = self.read(&streams).await?;
        let account = histories.first().map_or(&[][..], Vec::as_slice);
        let charge = histories.get(1).and_then(|history| charged(history));
        self.dispatch(AdjustmentCommand::Propose(Box::new(Propose {
            facts,
            reason: reason.clone(),
            payer: self.payer(facts, account).await?,
            charge,
            by: by.clone(),
        })))
        .await
    }

    /// Approves or rejects an adjustment.
    ///
    /// # Errors
    /// A refusal, or a fault.
    pub async fn decide(
        &self,
        origin: Origin,
        person: Person,
        decision: Decision,
    ) -> Result<Written, CommandError<Refusal>> {
        let stream = StreamId::adjustment(decision.adjustment);
        let histories = self.read(&[stream]).await?;
        let state = histories
            .first()
            .map(|history| folded::<AdjustmentDecider>(history));
        let proposal = state.as_ref().and_then(|state| state.proposal());
        // Whose it is never changes.
        let pseudonym = proposal
            .ok_or(CommandError::Refused(Refusal::NotFound))?
            .tenant;
        let key = match decision.reason {
            Some(_) => self.tenant(pseudonym).await?.and_then(|tenant| tenant.key),
            None => None,
        };
        self.dispatch(AdjustmentCommand::Decide(Box::new(Decide {
            adjustment: decision.adjustment,
            verdict: decision.verdict,
            reason: decision.reason,
            tenant: TenantKey { pseudonym, key },
            if_at: decision.if_at,
            by: self.by(person, origin),
        })))
        .await
    }

    fn by(&self, person: Person, origin: Origin) -> By {
        By {
            person,
            log: self.log,
            origin,
        }
    }

    async fn dispatch(&self, command: AdjustmentCommand) -> Result<Written, CommandError<Refusal>> {
        self.adjustments.dispatch(command.stream(), command).await
    }

    async fn read(
        &self,
        streams: &[StreamId],
    ) -> Result<Vec<Vec<RecordedEvent>>, CommandError<Refusal>> {
        let histories = self.store.read_streams(streams).await;
        histories.map_err(|fault| CommandError::Store(Arc::new(fault)))
    }

    /// Who pays, as the history of the account says.
    async fn payer(
        &self,
        facts: AdjustmentFacts,
        history: &[RecordedEvent],
    ) -> Result<Payer, CommandError<Refusal>> {
        let unknown = CommandError::Refused(Refusal::AccountUnknown);
        let account = folded::<AccountDecider>(history);
        let Some(registered) = account.registered() else {
            return Err(unknown);
        };
        let tenant = self.known_tenant(registered.tenant).await?;
        let Some((id, tenant)) = tenant.filter(|(_, tenant)| tenant.key.is_some()) else {
            return Err(unknown);
        };
        let told = registered.timeline.facts();
        let mut currencies: BTreeSet<_> = told.map(|facts| facts.currency).collect();
        let currency = facts.currency;
        if facts.message_id.is_none() && !currencies.contains(&currency) {
            let paid = self.paid.paid_in(id, facts.account_id, currency).await;
            currencies.extend(paid.map_err(CommandError::View)?.then_some(currency));
        }
        let guard = Guard {
            stream: StreamId::account(facts.account_id),
            version: version_of(history),
        };
        Ok(Payer {
            tenant,
            currencies,
            guard,
        })
    }

    async fn tenant(
        &self,
        pseudonym: Pseudonym,
    ) -> Result<Option<TenantKey>, CommandError<Refusal>> {
        let known = self.known_tenant(pseudonym).await?;
        Ok(known.map(|(_, tenant)| tenant))
    }

    /// Who stands behind `pseudonym`, with their key; nobody once they are erased.
    async fn known_tenant(
        &self,
        pseudonym: Pseudonym,
    ) -> Result<Option<(TenantId, TenantKey)>, CommandError<Refusal>> {
        let tenants = self.keyring.tenants_of(&[pseudonym]).await;
        let tenants = tenants.map_err(CommandError::Keyring)?;
        let Some(&tenant) = tenants.get(&pseudonym) else {
            return Ok(None);
        };
        let known = self.keyring.of_tenant(tenant).await;
        let key = known.and_then(|known| known.unlocked().map_err(KeyringError::from));
        let key = key.map_err(CommandError::Keyring)?;
        // Erased and registered anew in between, they are somebody else.
        Ok((key.pseudonym == pseudonym).then_some((tenant, key)))
    }
}

/// How the message with this history was charged, if it was.
fn charged(history: &[RecordedEvent]) -> Option<Charged> {
    history.iter().find_map(|event| match &event.data.event {
        Event::MessageCharged(charged) => Some(Charged {
            account: event.data.account,
            currency: charged.currency,
        }),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
