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

use std::collections::{HashMap, VecDeque};

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use schema::Pseudonym;

use super::{
    charging::Charging,
    tenant_actor::{self, Rested, TenantActor, Turn, Work},
};
use crate::runtime::appender::MAX_EVENTS;

/// What the registry hears.
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
    /// How actors charge.
    pub charging: Charging,
    /// How many idle actors may stay awake.
    pub live_max: usize,
}

struct Entry {
    actor: ActorRef<Turn>,
    /// What waits for the next turn.
    waiting: VecDeque<Work>,
    /// How many turns it has been given.
    turns: u64,
    /// Whether one is under way.
    busy: bool,
}

/// Who is awake.
pub struct State {
    args: Args,
    entries: HashMap<Pseudonym, Entry>,
    /// Tenants at rest with the turns they had had then, longest idle first; outdated ones are
    /// skipped when met.
    idle: VecDeque<(Pseudonym, u64)>,
}

/// See the module.
pub struct Tenants;

impl Actor for Tenants {
    type Msg = Msg;
    type State = State;
    type Arguments = Args;

    async fn pre_start(&self, _: ActorRef<Msg>, args: Args) -> Result<State, ActorProcessingErr> {
        Ok(State {
            args,
            entries: HashMap::new(),
            idle: VecDeque::new(),
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
            Msg::Rested(Rested(tenant)) => state.rested(tenant),
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
        if let SupervisionEvent::ActorFailed(cell, cause) = event {
            tracing::error!(event = "actor.failed", actor = %cell.get_id(), cause = %cause);
            let id = cell.get_id();
            state.entries.retain(|_, entry| entry.actor.get_id() != id);
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
        if !self.entries.contains_key(&tenant) {
            let actor = self.wake(myself, tenant).await?;
            let entry = Entry {
                actor,
                waiting: VecDeque::new(),
                turns: 0,
                busy: false,
            };
            self.entries.insert(tenant, entry);
        }
        if let Some(entry) = self.entries.get_mut(&tenant) {
            entry.waiting.push_back(work);
            if !entry.busy {
                entry.next_turn();
            }
        }
        Ok(())
    }

    async fn wake(
        &self,
        myself: &ActorRef<Msg>,
        tenant: Pseudonym,
    ) -> Result<ActorRef<Turn>, ActorProcessingErr> {
        let args = tenant_actor::Args {
            tenant,
            charging: self.args.charging.clone(),
            registry: myself.get_derived(),
        };
        let (actor, _) =
            TenantActor::spawn_linked(None, TenantActor, args, myself.get_cell()).await?;
        Ok(actor)
    }

    fn rested(&mut self, tenant: Pseudonym) {
        let Some(entry) = self.entries.get_mut(&tenant) else {
            return;
        };
        entry.busy = false;
        if !entry.waiting.is_empty() {
            entry.next_turn();
            return;
        }
        self.idle.push_back((tenant, entry.turns));
        while self.idle.len() > self.args.live_max {
            if let Some((tenant, turns)) = self.idle.pop_front() {
                self.let_sleep(tenant, turns);
            }
        }
    }

    /// Stops the actor of `tenant` if it has been given nothing since it had had `turns` turns.
    fn let_sleep(&mut self, tenant: Pseudonym, turns: u64) {
        if self
            .entries
            .get(&tenant)
            .is_some_and(|entry| entry.turns == turns)
            && let Some(entry) = self.entries.remove(&tenant)
        {
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
        self.turns += 1;
        self.busy = true;
        // A dead actor drops its turn, whose senders come again.
        let _ = self.actor.cast(turn);
    }
}

#[cfg(test)]
mod tests;
