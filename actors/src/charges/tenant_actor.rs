//! The actor of one tenant: it charges what the tenant's messages cost.
//!
//! **Owns** nothing but its turn: the prices that were read are in the price cache, shared by all.
//! **Hears** turns from the registry ([`super::tenants`]), one at a time; whatever arrives
//! meanwhile is its next turn. **Ends** when the registry stops it, which it does only when
//! nothing is under way here. A turn has at most about a thousand charges.

use std::sync::Arc;

use eventstore::StoreError;
use ractor::{Actor, ActorProcessingErr, ActorRef, DerivedActorRef};
use schema::Pseudonym;
use tokio::sync::oneshot;

use super::charging::{Arrived, Charging, Disposition, HeldCharge};

/// Something to do for one tenant.
#[derive(Debug)]
pub enum Work {
    /// Charge these.
    Settle(Settle),
    /// Rate these again.
    RateHeld(RateHeld),
}

/// See [`Work::Settle`].
#[derive(Debug)]
pub struct Settle {
    /// Settlements of one tenant, in the order they came.
    pub arrived: Vec<Arrived>,
    /// What became of each. Closed without an answer: all have to come again.
    pub reply: oneshot::Sender<Vec<Disposition>>,
}

/// See [`Work::RateHeld`].
#[derive(Debug)]
pub struct RateHeld {
    /// Held charges of one tenant.
    pub held: Vec<HeldCharge>,
    /// How many of them are charged now.
    pub reply: oneshot::Sender<Result<usize, Arc<StoreError>>>,
}

/// What is done together: all settlements with as few transactions as possible.
#[derive(Debug, Default)]
pub struct Turn {
    pub(super) settle: Vec<Settle>,
    pub(super) held: Vec<RateHeld>,
}

/// The turn of a tenant's actor is over.
#[derive(Debug)]
pub struct Rested {
    /// The tenant of the actor.
    pub tenant: Pseudonym,
    /// How many turns the actor has had since it woke.
    pub handled: u64,
}

/// An actor's memory.
pub struct State {
    args: Args,
    handled: u64,
}

/// The arguments of an actor: its tenant, and its surroundings.
pub struct Args {
    /// The tenant of the actor.
    pub tenant: Pseudonym,
    /// What decides and records its charges.
    pub charging: Charging,
    /// Who is told when its turn is over.
    pub registry: DerivedActorRef<Rested>,
}

/// See the module.
pub struct TenantActor;

impl Actor for TenantActor {
    type Msg = Turn;
    type State = State;
    type Arguments = Args;

    async fn pre_start(
        &self,
        _: ActorRef<Turn>,
        args: Args,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(State { args, handled: 0 })
    }

    async fn handle(
        &self,
        _: ActorRef<Turn>,
        turn: Turn,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let State { args, handled } = state;
        args.settle(turn.settle).await;
        for RateHeld { held, reply } in turn.held {
            let _ = reply.send(args.charging.rate_held(&held).await);
        }
        *handled += 1;
        let (tenant, handled) = (args.tenant, *handled);
        args.registry.cast(Rested { tenant, handled })?;
        Ok(())
    }
}

impl Args {
    async fn settle(&self, works: Vec<Settle>) {
        let mut all = Vec::with_capacity(works.iter().map(|work| work.arrived.len()).sum());
        let mut callers = Vec::with_capacity(works.len());
        for Settle { arrived, reply } in works {
            callers.push((arrived.len(), reply));
            all.extend(arrived);
        }
        let mut dispositions = self.charging.settle(&all).await.into_iter();
        for (count, reply) in callers {
            // Whoever does not wait any more gets its messages again.
            let _ = reply.send(dispositions.by_ref().take(count).collect());
        }
    }
}

impl Turn {
    /// Takes `work` along.
    pub(super) fn add(&mut self, work: Work) {
        match work {
            Work::Settle(work) => self.settle.push(work),
            Work::RateHeld(work) => self.held.push(work),
        }
    }
}

impl Work {
    /// How many charges it is about.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Settle(work) => work.arrived.len(),
            Self::RateHeld(work) => work.held.len(),
        }
    }
}
