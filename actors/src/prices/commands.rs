//! What the edge may ask of prices and costs.

use std::sync::Arc;

use eventstore::keyring::Keyring;
use ractor::{ActorRef, SpawnErr};
use schema::{
    TenantId, Versioned,
    versioned::{Cost, Price},
};

use super::decide::{Action, Amendment, VersionDecider, timeline::Refusal};
use crate::runtime::{
    commands::{CommandError, Dispatcher, Written, tenant},
    log_handle::LogHandle,
    origin::Origin,
};

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Commands {
    keyring: Arc<dyn Keyring>,
    prices: Dispatcher<VersionDecider<Price>>,
    costs: Dispatcher<VersionDecider<Cost>>,
}

/// A kind of versions that has actors here.
pub trait Amendable: Versioned {
    /// What brings commands to its actors.
    fn dispatcher(commands: &Commands) -> &Dispatcher<VersionDecider<Self>>;
}

impl Amendable for Price {
    fn dispatcher(commands: &Commands) -> &Dispatcher<VersionDecider<Self>> {
        &commands.prices
    }
}

impl Amendable for Cost {
    fn dispatcher(commands: &Commands) -> &Dispatcher<VersionDecider<Self>> {
        &commands.costs
    }
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
        if_at: Option<i64>,
    ) -> Result<Written, CommandError<Refusal>> {
        let owner = match K::tenant(&key) {
            Some(id) => Some(tenant(&*self.keyring, id).await?.pseudonym),
            None => None,
        };
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
        CostKey, Currency, Direction, OperatorCostId, OperatorId, Period, Timestamp,
        event::CostTerms,
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
        };
        let period = Period {
            effective_from: Timestamp::from_micros(0).expect("a time"),
            effective_to: None,
        };
        let id = OperatorCostId(Uuid::from_u128(1));
        (key, Action::Open { id, terms, period })
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
        let (key, action) = cost();
        for new in [true, false] {
            let origin = Origin::of_request(1);
            let written = commands.amend(origin, key, action.clone(), None).await;
            assert_eq!(written.expect("written"), Written { position: 1, new });
        }
        let refused = commands.amend(Origin::of_request(2), key, action, None);
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
