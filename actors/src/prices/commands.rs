//! What the edge may ask of prices, costs and exchange rates.

use std::sync::Arc;

use async_trait::async_trait;
use eventstore::keyring::Keyring;
use ractor::{ActorRef, SpawnErr};
use schema::{
    Period, Position, PriceKey, TenantId, Timestamp, Versioned,
    versioned::{Cost, ExchangeRate, Price},
};

use super::decide::{Action, Amendment, VersionDecider, timeline::Refusal};
use crate::runtime::{
    commands::{CommandError, Dispatcher, Written, pseudonym},
    log_handle::LogHandle,
    origin::Origin,
    view::ViewError,
};

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Commands {
    keyring: Arc<dyn Keyring>,
    prices: Dispatcher<VersionDecider<Price>>,
    costs: Dispatcher<VersionDecider<Cost>>,
    rates: Dispatcher<VersionDecider<ExchangeRate>>,
    charges: Arc<dyn PlatformCharges>,
}

/// What is shown of charges by the platform's prices, so that no price of a tenant's own comes
/// before one that was used. See `docs/adr/0014-what-a-price-change-may-touch.md`.
#[async_trait]
pub trait PlatformCharges: Send + Sync + 'static {
    /// Whether a message that `own` is for was charged by the platform's price, for an instant of
    /// `period`. Whatever the log has when this is asked is seen.
    ///
    /// # Errors
    /// The view cannot be asked, or is too far behind.
    async fn charged(&self, own: PriceKey<TenantId>, period: Period) -> Result<bool, ViewError> {
        let charged = self.any_charged(vec![(own, period)]).await?;
        Ok(charged.first().is_some_and(|charged| *charged))
    }

    /// The same of each of these.
    ///
    /// # Errors
    /// As for [`Self::charged`].
    async fn any_charged(
        &self,
        own: Vec<(PriceKey<TenantId>, Period)>,
    ) -> Result<Vec<bool>, ViewError>;
}

/// A kind of versions that has actors here.
pub trait Amendable: Versioned {
    /// What brings commands to its actors.
    fn dispatcher(commands: &Commands) -> &Dispatcher<VersionDecider<Self>>;

    /// What must hold beside the rules of versions for `action`, which is asked at `now`.
    ///
    /// # Errors
    /// It does not hold, or that could not be seen.
    fn check(
        _commands: &Commands,
        _key: Self::Key<TenantId>,
        _action: &Action<Self>,
        _now: Timestamp,
    ) -> impl Future<Output = Result<(), CommandError<Refusal>>> + Send {
        async { Ok(()) }
    }

    /// Of each of these versions, which are to begin in the past, whether what was charged would have
    /// to be charged anew.
    ///
    /// # Errors
    /// That could not be seen.
    fn reprice(
        _charges: &dyn PlatformCharges,
        opened: Vec<(Self::Key<TenantId>, Period)>,
    ) -> impl Future<Output = Result<Vec<bool>, ViewError>> + Send {
        async move { Ok(vec![false; opened.len()]) }
    }
}

impl Amendable for Price {
    fn dispatcher(commands: &Commands) -> &Dispatcher<VersionDecider<Self>> {
        &commands.prices
    }

    /// What was charged stays as it is. Only a tenant's own price can come before one that was
    /// used, and only if it begins in the past.
    async fn check(
        commands: &Commands,
        key: PriceKey<TenantId>,
        action: &Action<Self>,
        now: Timestamp,
    ) -> Result<(), CommandError<Refusal>> {
        let Action::Open { period, .. } = action else {
            return Ok(());
        };
        if key.tenant.is_none() || period.effective_from >= now {
            return Ok(());
        }
        match commands.charges.charged(key, *period).await {
            Ok(true) => Err(CommandError::Refused(Refusal::WouldReprice)),
            Ok(false) => Ok(()),
            Err(fault) => Err(CommandError::View(fault)),
        }
    }

    async fn reprice(
        charges: &dyn PlatformCharges,
        opened: Vec<(PriceKey<TenantId>, Period)>,
    ) -> Result<Vec<bool>, ViewError> {
        let own = opened.iter().filter(|(key, _)| key.tenant.is_some());
        let own: Vec<_> = own.copied().collect();
        if own.is_empty() {
            return Ok(vec![false; opened.len()]);
        }
        let mut found = charges.any_charged(own).await?.into_iter();
        let reprices =
            |key: &PriceKey<TenantId>| key.tenant.is_some() && found.next() == Some(true);
        Ok(opened.iter().map(|(key, _)| key).map(reprices).collect())
    }
}

impl Amendable for Cost {
    fn dispatcher(commands: &Commands) -> &Dispatcher<VersionDecider<Self>> {
        &commands.costs
    }
}

impl Amendable for ExchangeRate {
    fn dispatcher(commands: &Commands) -> &Dispatcher<VersionDecider<Self>> {
        &commands.rates
    }
}

impl Commands {
    /// Commands that are carried out once they are opened; `keyring` says what stands for a
    /// tenant, and `charges` what was charged already.
    #[must_use]
    pub fn new(keyring: Arc<dyn Keyring>, charges: Arc<dyn PlatformCharges>) -> Self {
        Self {
            keyring,
            prices: Dispatcher::default(),
            costs: Dispatcher::default(),
            rates: Dispatcher::default(),
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
        self.prices.open(log, live_max, root).await?;
        self.costs.open(log, live_max, root).await?;
        self.rates.open(log, live_max, root).await
    }

    /// Opens, replaces or closes a version of `key`; `if_at` is the position of its last change as
    /// the caller knows it, where they insist on it.
    ///
    /// # Errors
    /// A refusal, or a fault.
    pub async fn amend<K: Amendable>(
        &self,
        origin: Origin,
        key: K::Key<TenantId>,
        action: Action<K>,
        if_at: Option<Position>,
    ) -> Result<Written, CommandError<Refusal>> {
        K::check(self, key, &action, origin.time).await?;
        let owner = pseudonym(&*self.keyring, K::tenant(&key)).await?;
        let amendment = Amendment {
            key: K::of_tenant(key, owner),
            action,
            if_at,
            origin,
        };
        let stream = amendment.stream();
        K::dispatcher(self).dispatch(stream, amendment).await
    }
}

#[cfg(test)]
mod tests {
    use eventstore::{EventStore as _, memory::MemoryStore};
    use schema::{
        AccountTier, CostKey, Currency, Direction, OperatorCostId, OperatorId, PricingModel,
        PricingTableId, Status,
        event::{CostTerms, PriceTerms},
    };
    use uuid::Uuid;

    use super::*;
    use crate::fixture::{Actors, Keys};

    fn cost() -> (CostKey, Action<Cost>) {
        let key = CostKey {
            operator_id: OperatorId(Uuid::from_u128(2)),
            direction: Direction::Mt,
        };
        let terms = CostTerms {
            cost_per_segment: "0.02".parse().expect("valid"),
            currency: Currency::parse("EUR").expect("exists"),
            due_statuses: [Status::Delivered].into(),
        };
        let period = Period {
            effective_from: Timestamp::from_micros(0).expect("a time"),
            effective_to: None,
        };
        let id = OperatorCostId(Uuid::from_u128(1));
        (key, Action::Open { id, terms, period })
    }

    /// Everything was charged by the platform's prices, if anything.
    struct Charged(bool);

    #[async_trait]
    impl PlatformCharges for Charged {
        async fn any_charged(
            &self,
            own: Vec<(PriceKey<TenantId>, Period)>,
        ) -> Result<Vec<bool>, ViewError> {
            Ok(vec![self.0; own.len()])
        }
    }

    fn price(own: bool, from: i64) -> (PriceKey<TenantId>, Action<Price>) {
        let key = PriceKey {
            tenant: own.then_some(TenantId(Uuid::from_u128(9))),
            account_tier: AccountTier::Growth,
            operator_id: OperatorId(Uuid::from_u128(2)),
            direction: Direction::Mt,
            currency: Currency::parse("EUR").expect("exists"),
        };
        let terms = PriceTerms {
            pricing_model: PricingModel::PerSegment,
            unit_price: "0.05".parse().expect("valid"),
            billable_statuses: [Status::Delivered].into(),
        };
        let period = Period {
            effective_from: Timestamp::from_micros(from).expect("a time"),
            effective_to: None,
        };
        let id = PricingTableId(Uuid::from_u128(1));
        (key, Action::Open { id, terms, period })
    }

    #[tokio::test]
    async fn no_price_of_a_tenants_own_comes_before_one_that_was_used() {
        for (charged, own, from, refused) in [
            (true, true, 5, true),
            (false, true, 5, false),
            (true, false, 5, false),
            (true, true, 10, false),
        ] {
            let actors = Actors::on(Arc::new(MemoryStore::default())).await;
            let commands = Commands::new(Arc::new(Keys), Arc::new(Charged(charged)));
            let opened = commands.open(&actors.log, 10, actors.root());
            opened.await.expect("starts");
            let (key, action) = price(own, from);
            let now = Timestamp::from_micros(10).expect("a time");
            let origin = Origin::of_request(1).at(now);
            let answer = commands.amend(origin, key, action, None).await;
            match answer {
                Err(CommandError::Refused(Refusal::WouldReprice)) => assert!(refused),
                Ok(_) => assert!(!refused, "{charged} {own} {from}"),
                other => panic!("{other:?}"),
            }
            actors.stop().await;
        }
    }

    #[tokio::test]
    async fn what_is_written_has_a_position_and_is_written_once() {
        let store = Arc::new(MemoryStore::default());
        let actors = Actors::on(Arc::clone(&store) as _).await;
        let commands = Commands::new(Arc::new(Keys), Arc::new(Charged(false)));
        commands
            .open(&actors.log, 10, actors.root())
            .await
            .expect("starts");
        let (key, action) = cost();
        for new in [true, false] {
            let origin = Origin::of_request(1);
            let written = commands.amend(origin, key, action.clone(), None).await;
            assert_eq!(
                written.expect("written"),
                Written {
                    position: Position(1),
                    new
                }
            );
        }
        let refused = commands.amend(Origin::of_request(2), key, action, None);
        assert!(matches!(
            refused.await,
            Err(CommandError::Refused(Refusal::Overlap { .. }))
        ));
        assert_eq!(
            store.head().await.expect("head"),
            Position(1),
            "a refusal writes nothing"
        );
        actors.stop().await;
    }
}
