//! The desk: what the edge may ask of billing.
//!
//! A caller says what they want, in the words of tenants and keys; the desk finds the stream and
//! has its actor decide. What is written is on disk when it is answered. The desk outlives the
//! tree of actors behind it: while that is built anew, whoever asks waits a little.

use std::{convert::Infallible, sync::Arc, time::Duration};

use eventstore::{
    LogId, StoreError, clock,
    keyring::{Keyring, KeyringError, KnownTenant},
    log::chain,
};
use schema::{
    AccountId, AccountTier, CostKey, Currency, Direction, OperatorId, Personal, PriceKey, StreamId,
    TenantId,
    event::{AccessRefused, AccountFacts, CostTerms, CrossAccountRead, PriceTerms},
};
use tokio::{sync::watch, time::timeout};

use crate::{
    access::{
        decide::{Access, AccessDecider, RecordAccess},
        refusals::{Noted, Refusals},
    },
    accounts::decide::{self as account, AccountDecider, PutAccount},
    prices::decide::{
        cost::{AmendCost, CostDecider},
        price::{AmendPrice, PriceDecider},
        timeline::{Amendment, Refusal, Wish},
    },
    runtime::{
        caller::Caller,
        decider::Decider,
        directory::{self, DirectoryRef},
        stream_actor::Verdict,
    },
};

/// How long a caller waits while the actors are built anew.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is looked whether a minute of refusals is over.
const SWEEP: Duration = Duration::from_secs(1);

/// What is written now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The position of the last event that says so: whoever has seen it has seen all of it. What
    /// was known before has the position of its stream's last event.
    pub position: i64,
    /// Whether it is new. If not, it was known before, and nothing was recorded.
    pub new: bool,
}

/// Why nothing was written, or it is not known whether.
#[derive(Debug, thiserror::Error)]
pub enum DeskError<R> {
    /// It is against a rule.
    #[error("refused")]
    Refused(R),
    /// Too many others at the same thing; nothing was written.
    #[error("too many others change the same")]
    Contended,
    /// The actors are not there, or went away; it may be asked again.
    #[error("the actors are being started")]
    Away,
    /// The log failed; it may be asked again.
    #[error("recording what was asked")]
    Store(#[source] Arc<StoreError>),
    /// The keyring failed; nothing was written.
    #[error("finding the tenant")]
    Keyring(#[source] KeyringError),
}

/// What a price is for, as a caller says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceFor {
    /// Whose own price; `None` for the platform's list.
    pub tenant: Option<TenantId>,
    /// For accounts of this tier.
    pub account_tier: AccountTier,
    /// For messages through this carrier.
    pub operator_id: OperatorId,
    /// Going this way.
    pub direction: Direction,
    /// For accounts that pay in this currency.
    pub currency: Currency,
}

/// What an account is to be.
#[derive(Debug, Clone)]
pub struct AccountWish {
    /// Whose.
    pub tenant: TenantId,
    /// What it is.
    pub account: AccountFacts,
    /// The name on its invoices.
    pub billing_name: Option<Personal>,
    /// The address on its invoices.
    pub billing_address: Option<Personal>,
}

/// What somebody looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The endpoint, as it is documented.
    pub endpoint: &'static str,
    /// Whose data, where it is one tenant's and known.
    pub tenant: Option<TenantId>,
    /// Which account's, where it is one's.
    pub account: Option<AccountId>,
}

/// The actors behind the desk.
#[derive(Clone)]
pub(super) struct Offices {
    pub(super) prices: DirectoryRef<PriceDecider>,
    pub(super) costs: DirectoryRef<CostDecider>,
    pub(super) accounts: DirectoryRef<AccountDecider>,
    pub(super) accesses: DirectoryRef<AccessDecider>,
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    keyring: Arc<dyn Keyring>,
    log: LogId,
    offices: watch::Receiver<Option<Offices>>,
    refusals: Arc<Refusals>,
}

impl Desk {
    pub(super) fn new(
        keyring: Arc<dyn Keyring>,
        log: LogId,
        offices: watch::Receiver<Option<Offices>>,
    ) -> Self {
        Self {
            keyring,
            log,
            offices,
            refusals: Arc::default(),
        }
    }

    /// Opens, replaces or closes a version of a price; `if_at` is the position of its last change
    /// as the caller knows it, where they insist on it.
    ///
    /// # Errors
    /// A refusal, or a fault.
    pub async fn amend_price(
        &self,
        caller: Caller,
        price: PriceFor,
        wish: Wish<PriceTerms>,
        if_at: Option<i64>,
    ) -> Result<Written, DeskError<Refusal>> {
        let tenant = match price.tenant {
            Some(tenant) => Some(self.tenant(tenant).await?.pseudonym),
            None => None,
        };
        let key = PriceKey {
            tenant,
            account_tier: price.account_tier,
            operator_id: price.operator_id,
            direction: price.direction,
            currency: price.currency,
        };
        let amendment = amendment(caller, wish, if_at);
        let command = AmendPrice { key, amendment };
        let offices = self.offices().await?;
        ask(&offices.prices, StreamId::price(&key), command).await
    }

    /// Opens, replaces or closes a version of a cost; `if_at` as for prices.
    ///
    /// # Errors
    /// A refusal, or a fault.
    pub async fn amend_cost(
        &self,
        caller: Caller,
        key: CostKey,
        wish: Wish<CostTerms>,
        if_at: Option<i64>,
    ) -> Result<Written, DeskError<Refusal>> {
        let amendment = amendment(caller, wish, if_at);
        let command = AmendCost { key, amendment };
        let offices = self.offices().await?;
        ask(&offices.costs, StreamId::cost(&key), command).await
    }

    /// Registers an account, or changes it, on this condition.
    ///
    /// # Errors
    /// It belongs to another tenant, is not as the caller saw it, or a fault.
    pub async fn put_account(
        &self,
        caller: Caller,
        wish: AccountWish,
        condition: account::Condition,
    ) -> Result<Written, DeskError<account::Refusal>> {
        let tenant = self.tenant(wish.tenant).await?.unlocked();
        let tenant = tenant.map_err(|locked| DeskError::Keyring(locked.into()))?;
        let command = PutAccount {
            account: wish.account,
            billing_name: wish.billing_name,
            billing_address: wish.billing_address,
            tenant,
            log: self.log,
            request: caller.request,
            now: clock::now(),
            condition,
            principal: caller.principal,
            trace: caller.trace,
        };
        let offices = self.offices().await?;
        ask(&offices.accounts, command.stream(), command).await
    }

    /// Keeps that the caller looks at data that is not theirs.
    ///
    /// # Errors
    /// A fault. It is never refused.
    pub async fn record_read(
        &self,
        caller: Caller,
        look: Look,
    ) -> Result<(), DeskError<Infallible>> {
        let tenant = match look.tenant {
            Some(tenant) => Some(self.tenant(tenant).await?.pseudonym),
            None => None,
        };
        let read = CrossAccountRead {
            endpoint: look.endpoint.to_owned(),
            account_id: look.account,
            caller_tenant: caller.tenant,
            request_id: caller.request,
        };
        self.record(RecordAccess {
            access: Access::Read(read),
            tenant,
            request: caller.request,
            now: clock::now(),
            principal: caller.principal,
            trace: caller.trace,
        })
        .await
    }

    /// Keeps that the caller was refused to look at data that is not theirs. What they repeat is
    /// counted; see `refusals.rs`. Whose data it is, is not asked: it may not exist.
    ///
    /// # Errors
    /// A fault. It is never refused.
    pub async fn record_refusal(
        &self,
        caller: Caller,
        look: Look,
        code: &str,
    ) -> Result<(), DeskError<Infallible>> {
        let now = clock::now();
        let refused = AccessRefused {
            endpoint: look.endpoint.to_owned(),
            account_id: look.account,
            caller_tenant: caller.tenant,
            request_id: caller.request,
            code: code.to_owned(),
            calls: 1,
            until: now,
            more_account_ids: Vec::new(),
        };
        if self.refusals.note(&caller, &refused) == Noted::Again {
            return Ok(());
        }
        self.record(RecordAccess {
            access: Access::Refused(refused),
            tenant: None,
            request: caller.request,
            now,
            principal: caller.principal,
            trace: caller.trace,
        })
        .await
    }

    /// Brings counted refusals into the log, those whose minute is over, until `stop` turns true;
    /// then all.
    pub(super) async fn keep_refusals(self, mut stop: watch::Receiver<bool>) {
        loop {
            let stopping = timeout(SWEEP, stop.wait_for(|stop| *stop)).await.is_ok();
            let over = (!stopping).then(clock::now);
            for access in self.refusals.close(over) {
                let request = access.request;
                match self.record(access).await {
                    Ok(()) => self.refusals.recorded(request),
                    Err(fault) => {
                        // Tried again at the next sweep, if there is one.
                        tracing::error!(event = "audit.not_recorded", error = chain(&fault));
                        break;
                    }
                }
            }
            if stopping {
                return;
            }
        }
    }

    async fn record(&self, access: RecordAccess) -> Result<(), DeskError<Infallible>> {
        let offices = self.offices().await?;
        let stream = access.stream();
        ask(&offices.accesses, stream, access).await.map(drop)
    }

    async fn tenant<R>(&self, tenant: TenantId) -> Result<KnownTenant, DeskError<R>> {
        let mut keys = self
            .keyring
            .of_tenants(&[tenant])
            .await
            .map_err(DeskError::Keyring)?;
        let absent = DeskError::Keyring(KeyringError::Absent);
        keys.remove(&tenant).ok_or(absent)
    }

    async fn offices<R>(&self) -> Result<Offices, DeskError<R>> {
        let mut offices = self.offices.clone();
        let open = timeout(PATIENCE, offices.wait_for(Option::is_some)).await;
        let open = open.ok().and_then(Result::ok).and_then(|open| open.clone());
        open.ok_or(DeskError::Away)
    }
}

fn amendment<T>(caller: Caller, wish: Wish<T>, if_at: Option<i64>) -> Amendment<T> {
    Amendment {
        wish,
        request: caller.request,
        now: clock::now(),
        if_at,
        principal: caller.principal,
        trace: caller.trace,
    }
}

async fn ask<D: Decider>(
    office: &DirectoryRef<D>,
    stream: StreamId,
    command: D::Command,
) -> Result<Written, DeskError<D::Refusal>> {
    let verdict = directory::ask(office, stream, command).await;
    let (position, new) = match verdict.ok_or(DeskError::Away)? {
        Verdict::Recorded { position } => (position, true),
        Verdict::Known { position } => (position, false),
        Verdict::Refused(refusal) => return Err(DeskError::Refused(refusal)),
        Verdict::Contended => return Err(DeskError::Contended),
        Verdict::Failed(fault) => return Err(DeskError::Store(fault)),
    };
    Ok(Written { position, new })
}

#[cfg(test)]
mod tests;
