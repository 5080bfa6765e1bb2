//! The registry of tenants: who is awake, and the only one who speaks to tenant actors.
//!
//! **Owns** one entry per tenant awake, with what waits for its next turn. **Hears** work from
//! intake and from whoever rates held charges; wakes the missing actors; gives each one turn at a
//! time. An actor reports when its turn is over; because nobody else sends to it, the registry
//! knows when nothing is under way there and only then lets it sleep, when too many are awake,
//! the longest idle first. An actor that died is forgotten; what waited for it comes again.
//! **Ends** with its supervisor.
//!
//! Capacity: `live_max` idle actors at a few kB each. How much can wait is bounded by the permits
//! of intake.

use std::collections::VecDeque;

use ractor::{Actor, ActorProcessingErr, ActorRef, DerivedActorRef, SupervisionEvent};
use schema::Pseudonym;

use super::{
    charging::Charging,
    tenant_actor::{self, Rested, TenantActor, Turn, Work},
};
use crate::runtime::{appender::MAX_EVENTS, awake::Awake, supervision::tell_death};

/// The messages of the registry.
#[derive(Debug)]
pub enum Msg {
    /// Work for some tenants.
    Work(Vec<(Pseudonym, Work)>),
    /// From a tenant's actor.
    Rested(Rested),
}

impl From<Rested> for Msg {
    fn from(rested: Rested) -> Self {
        Self::Rested(rested)
    }
}

impl TryFrom<Msg> for Rested {
    type Error = Msg;

    fn try_from(message: Msg) -> Result<Self, Msg> {
        match message {
            Msg::Rested(rested) => Ok(rested),
            other @ Msg::Work(_) => Err(other),
        }
    }
}

/// What the registry works with.
pub struct Args {
    /// What decides and records the charges of every tenant.
    pub charging: Charging,
    /// How many idle actors may stay awake.
    pub live_max: usize,
}

struct Entry {
    actor: ActorRef<Turn>,
    /// What waits for the next turn.
    waiting: VecDeque<Work>,
    /// Whether a turn is under way.
    busy: bool,
}

/// The registry's memory: the tenants awake, with what waits for each.
pub struct State {
    charging: Charging,
    /// Where actors say that their turn is over.
    rested: DerivedActorRef<Rested>,
    /// By how many turns each was given.
    awake: Awake<Pseudonym, Entry>,
}

/// See the module.
pub struct Tenants;

impl Actor for Tenants {
    type Msg = Msg;
    type State = State;
    type Arguments = Args;

    async fn pre_start(
        &self,
        myself: ActorRef<Msg>,
        args: Args,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State {
            charging: args.charging,
            rested: myself.get_derived(),
            awake: Awake::new(args.live_max),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Msg>,
        message: Msg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            Msg::Work(works) => {
                for (tenant, work) in works {
                    state.hand_out(&myself, tenant, work).await?;
                }
            }
            Msg::Rested(rested) => state.rested(&rested),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Msg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        // Dropping what waited answers it: it comes again. One tenant must not take the others
        // with it.
        if let SupervisionEvent::ActorFailed(cell, _) = event {
            tell_death(cell.get_id());
            let id = cell.get_id();
            state.awake.retain(|entry| entry.actor.get_id() != id);
        }
        Ok(())
    }
}

impl State {
    async fn hand_out(
        &mut self,
        myself: &ActorRef<Msg>,
        tenant: Pseudonym,
        work: Work,
    ) -> Result<(), ActorProcessingErr> {
        if self.awake.get(&tenant).is_none() {
            let entry = Entry {
                actor: self.spawn(myself, tenant).await?,
                waiting: VecDeque::new(),
                busy: false,
            };
            self.awake.wake(tenant, entry, 0);
        }
        if let Some(entry) = self.awake.get(&tenant) {
            entry.waiting.push_back(work);
            if !entry.busy {
                self.next_turn(tenant);
            }
        }
        Ok(())
    }

    async fn spawn(
        &self,
        myself: &ActorRef<Msg>,
        tenant: Pseudonym,
    ) -> Result<ActorRef<Turn>, ActorProcessingErr> {
        let args = tenant_actor::Args {
            tenant,
            charging: self.charging.clone(),
            registry: self.rested.clone(),
        };
        let (actor, _) =
            TenantActor::spawn_linked(None, TenantActor, args, myself.get_cell()).await?;
        Ok(actor)
    }

    fn next_turn(&mut self, tenant: Pseudonym) {
        if let Some(entry) = self.awake.give(&tenant) {
            entry.next_turn();
        }
    }

    fn rested(&mut self, &Rested { tenant, handled }: &Rested) {
        let Some(entry) = self.awake.get(&tenant) else {
            return;
        };
        entry.busy = false;
        if !entry.waiting.is_empty() {
            self.next_turn(tenant);
            return;
        }
        for entry in self.awake.rest(tenant, handled) {
            entry.actor.stop(None);
        }
    }
}

impl Entry {
    /// Gives it what waits, at most about [`MAX_EVENTS`] charges.
    fn next_turn(&mut self) {
        let (mut turn, mut size) = (Turn::default(), 0);
        while let Some(work) = self.waiting.pop_front() {
            size += work.size();
            turn.add(work);
            if size >= MAX_EVENTS {
                break;
            }
        }
        self.busy = true;
        // A dead actor drops its turn, whose senders come again.
        let _ = self.actor.cast(turn);
    }
}

#[cfg(test)]
mod tests;
