//! What the edge may ask of prices and costs.

use std::sync::Arc;

use eventstore::keyring::Keyring;
use ractor::{ActorRef, SpawnErr};
use schema::{
    AccountTier, CostKey, Currency, Direction, OperatorId, PriceKey, StreamId, TenantId,
    event::{CostTerms, PriceTerms},
};

use super::decide::{
    cost::{AmendCost, CostDecider},
    price::{AmendPrice, PriceDecider},
    timeline::{Amendment, Refusal, Wish},
};
use crate::runtime::{
    commands::{CommandError, Dispatcher, Written, tenant},
    log_handle::LogHandle,
    origin::Origin,
};

/// What a price is for, as a caller says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PriceFor {
    /// The tenant whose own price it is; `None` for the platform's list.
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

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Commands {
    keyring: Arc<dyn Keyring>,
    prices: Dispatcher<PriceDecider>,
    costs: Dispatcher<CostDecider>,
}

impl Commands {
    /// Commands that are carried out once they are opened; `keyring` says what stands for a
    /// tenant.
    #[must_use]
    pub fn new(keyring: Arc<dyn Keyring>) -> Self {
        Self {
            keyring,
            prices: Dispatcher::default(),
            costs: Dispatcher::default(),
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
        self.costs.open(log, live_max, root).await
    }

    /// Opens, replaces or closes a version of a price; `if_at` is the position of its last change
    /// as the caller knows it, where they insist on it.
    ///
    /// # Errors
    /// A refusal, or a fault.
    pub async fn amend_price(
        &self,
        origin: Origin,
        price: PriceFor,
        wish: Wish<PriceTerms>,
        if_at: Option<i64>,
    ) -> Result<Written, CommandError<Refusal>> {
        let tenant = match price.tenant {
            Some(id) => Some(tenant(&*self.keyring, id).await?.pseudonym),
            None => None,
        };
        let key = PriceKey {
            tenant,
            account_tier: price.account_tier,
            operator_id: price.operator_id,
            direction: price.direction,
            currency: price.currency,
        };
        let amendment = Amendment {
            wish,
            if_at,
            origin,
        };
        let command = AmendPrice { key, amendment };
        self.prices.dispatch(StreamId::price(&key), command).await
    }

    /// Opens, replaces or closes a version of a cost; `if_at` as for prices.
    ///
    /// # Errors
    /// A refusal, or a fault.
    pub async fn amend_cost(
        &self,
        origin: Origin,
        key: CostKey,
        wish: Wish<CostTerms>,
        if_at: Option<i64>,
    ) -> Result<Written, CommandError<Refusal>> {
        let amendment = Amendment {
            wish,
            if_at,
            origin,
        };
        let command = AmendCost { key, amendment };
        self.costs.dispatch(StreamId::cost(&key), command).await
    }
}

#[cfg(test)]
mod tests {
    use eventstore::{EventStore as _, memory::MemoryStore};
    use schema::{Period, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::fixture::{Actors, Keys};

    fn cost() -> (CostKey, Wish<CostTerms>) {
        let key = CostKey {
            operator_id: OperatorId(Uuid::from_u128(2)),
            direction: Direction::Mt,
        };
        let terms = CostTerms {
            cost_per_segment: "0.02".parse().expect("valid"),
            currency: Currency::parse("EUR").expect("exists"),
        };
        let period = Period {
            effective_from: Timestamp::from_micros(0).expect("a time"),
            effective_to: None,
        };
        let id = Uuid::from_u128(1);
        (key, Wish::Open { id, terms, period })
    }

    #[tokio::test]
    async fn what_is_written_has_a_position_and_is_written_once() {
        let store = Arc::new(MemoryStore::default());
        let actors = Actors::on(Arc::clone(&store) as _).await;
        let commands = Commands::new(Arc::new(Keys));
        commands
            .open(&actors.log, 10, actors.root())
            .await
            .expect("starts");
        let (key, wish) = cost();
        for new in [true, false] {
            let origin = Origin::of_request(1);
            let written = commands.amend_cost(origin, key, wish.clone(), None).await;
            assert_eq!(written.expect("written"), Written { position: 1, new });
        }
        let refused = commands.amend_cost(Origin::of_request(2), key, wish, None);
        assert!(matches!(
            refused.await,
            Err(CommandError::Refused(Refusal::Overlap { .. }))
        ));
        assert_eq!(
            store.head().await.expect("head"),
            1,
            "a refusal writes nothing"
        );
        actors.stop().await;
    }
}
