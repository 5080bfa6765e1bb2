//! What may become of an adjustment: proposed once, then approved by another person or rejected, and
//! never changed after that.
//!
//! The adjustment's own stream decides, so of two that approve it at once one does, on whatever
//! nodes. Whoever says again what they have said adds nothing. The reasons are sealed, so they are
//! not compared by opening them: sealing is a pure function, so what is new is sealed for the place of
//! what is known, and equal texts seal equally there.

use std::collections::BTreeSet;

use eventstore::{EventData, Guard, LogId, RecordedEvent, keyring::TenantKey};
use schema::{
    AccountId, AdjustmentId, Currency, Event, EventId, Personal, Position, Pseudonym, Sealed,
    StreamId, StreamVersion,
    event::{AdjustmentApproved, AdjustmentFacts, AdjustmentProposed, AdjustmentRejected, Person},
};

use crate::runtime::{
    decider::{Command, Decider, Decision, EventPlace},
    origin::Origin,
};

/// What is known of an adjustment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Adjustment {
    /// Nobody proposed it.
    #[default]
    Unknown,
    /// It waits for another person.
    Proposed(Proposal),
    /// It is approved, or rejected, by this person.
    Decided(Proposal, Verdict, Person),
}

/// What was proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What is to be adjusted.
    pub facts: AdjustmentFacts,
    /// Whose account it is.
    pub tenant: Pseudonym,
    by: Person,
    reason: Sealed,
    version: StreamVersion,
    position: Position,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The account pays it.
    Approved,
    /// It does not.
    Rejected,
}

/// What is asked of an adjustment.
#[derive(Debug, Clone)]
pub enum AdjustmentCommand {
    /// Propose it.
    Propose(Box<Propose>),
    /// Approve or reject it.
    Decide(Box<Decide>),
}

/// Let the account pay this, once another person approves it.
#[derive(Debug, Clone)]
pub struct Propose {
    /// What is to be adjusted.
    pub facts: AdjustmentFacts,
    /// Why.
    pub reason: Personal,
    /// Who pays.
    pub payer: Payer,
    /// The charge of the message that it is about, if it is about one and that is charged.
    pub charge: Option<Charged>,
    /// Who asks, and by which request.
    pub by: By,
}

/// An account as far as its adjustments go.
#[derive(Debug, Clone)]
pub struct Payer {
    /// Whose account it is.
    pub tenant: TenantKey,
    /// What it is registered to pay in, or has paid in.
    pub currencies: BTreeSet<Currency>,
    /// The version of its stream that says so.
    pub guard: Guard,
}

/// A charge as far as adjustments of it go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charged {
    /// On which account.
    pub account: Option<AccountId>,
    /// In which currency.
    pub currency: Currency,
}

/// Let it be approved or rejected.
#[derive(Debug, Clone)]
pub struct Decide {
    /// The adjustment.
    pub adjustment: AdjustmentId,
    /// Which of both.
    pub verdict: Verdict,
    /// Why; an approval needs no reason.
    pub reason: Option<Personal>,
    /// Whose account it is, as the proposal says.
    pub tenant: TenantKey,
    /// The position of the last change that the caller knows of, where they insist on it.
    pub if_at: Option<Position>,
    /// Who asks, and by which request.
    pub by: By,
}

/// Who asks for something, and how it is recorded.
#[derive(Debug, Clone)]
pub struct By {
    /// The person.
    pub person: Person,
    /// The log it is recorded in; what is sealed is bound to it.
    pub log: LogId,
    /// Their request.
    pub origin: Origin,
}

/// Why nothing becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody proposed it.
    #[error("there is no such adjustment")]
    NotFound,
    /// Nobody registered the account, or its tenant is erased.
    #[error("the account is not registered")]
    AccountUnknown,
    /// The account neither is registered with the currency nor has paid in it; what is about a
    /// charge has its currency.
    #[error("the account does not pay in that currency")]
    OtherCurrency,
    /// The message is not charged, or on another account.
    #[error("the message is not charged on that account")]
    OtherMessage,
    /// The same request came with something else before.
    #[error("the request proposed something else before")]
    KeyReused,
    /// Who proposed it cannot approve it.
    #[error("who proposed an adjustment may not approve it")]
    OwnProposal,
    /// Somebody has decided it.
    #[error("the adjustment is decided")]
    AlreadyDecided,
    /// It is not as the caller saw it.
    #[error("the adjustment changed at position {position}")]
    Changed {
        /// The position of its last change.
        position: Position,
    },
}

/// Decides for the streams of category `adjustment`.
#[derive(Debug)]
pub struct AdjustmentDecider;

impl Adjustment {
    /// What was proposed, if anything was.
    #[must_use]
    pub const fn proposal(&self) -> Option<&Proposal> {
        match self {
            Self::Unknown => None,
            Self::Proposed(proposal) | Self::Decided(proposal, ..) => Some(proposal),
        }
    }

    fn decide(&mut self, verdict: Verdict, by: &Person) {
        if let Self::Proposed(proposal) = self {
            *self = Self::Decided(proposal.clone(), verdict, by.clone());
        }
    }
}

impl Decider for AdjustmentDecider {
    type State = Adjustment;
    type Command = AdjustmentCommand;
    type Refusal = Refusal;

    fn fold(state: &mut Adjustment, event: &RecordedEvent) {
        match (&event.data.event, event.data.tenant) {
            (Event::AdjustmentProposed(proposed), Some(tenant)) => {
                *state = Adjustment::Proposed(Proposal {
                    facts: proposed.adjustment,
                    tenant,
                    by: proposed.proposed_by.clone(),
                    reason: event.data.sealed.clone(),
                    version: event.version,
                    position: event.position,
                });
            }
            (Event::AdjustmentApproved(approved), _) => {
                state.decide(Verdict::Approved, &approved.approved_by);
            }
            (Event::AdjustmentRejected(rejected), _) => {
                state.decide(Verdict::Rejected, &rejected.rejected_by);
            }
            _ => {}
        }
    }

    fn decide(state: &Adjustment, command: &AdjustmentCommand) -> Result<Decision, Refusal> {
        match command {
            AdjustmentCommand::Propose(propose) => propose.decide(state),
            AdjustmentCommand::Decide(decide) => decide.decide(state),
        }
    }

    fn is_finished(state: &Adjustment) -> bool {
        matches!(state, Adjustment::Decided(..))
    }
}

impl Propose {
    fn decide(&self, state: &Adjustment) -> Result<Decision, Refusal> {
        if let Some(known) = state.proposal() {
            let repeated = self.facts == known.facts && self.seal_again(known) == known.reason;
            return if repeated {
                Ok(Decision::NOTHING)
            } else {
                Err(Refusal::KeyReused)
            };
        }
        let currency = self.facts.currency;
        let pays_in = match (self.facts.message_id, self.charge) {
            (None, _) => self.payer.currencies.contains(&currency),
            (Some(_), Some(charge)) if charge.account == Some(self.facts.account_id) => {
                charge.currency == currency
            }
            (Some(_), _) => return Err(Refusal::OtherMessage),
        };
        if !pays_in {
            return Err(Refusal::OtherCurrency);
        }
        let proposed = AdjustmentProposed {
            adjustment: self.facts,
            proposed_by: self.by.person.clone(),
        };
        let decision = Decision::record([Event::AdjustmentProposed(proposed)]);
        Ok(decision.guarded(vec![self.payer.guard]))
    }

    /// The reason, as it would stand where that of `known` stands.
    fn seal_again(&self, known: &Proposal) -> Sealed {
        let place = EventPlace {
            log: self.by.log,
            stream: StreamId::adjustment(known.facts.adjustment_id),
            version: known.version,
        };
        seal(&self.payer.tenant, place, Some(&self.reason))
    }
}

impl Decide {
    fn decide(&self, state: &Adjustment) -> Result<Decision, Refusal> {
        let proposal = match state {
            Adjustment::Unknown => return Err(Refusal::NotFound),
            Adjustment::Decided(_, verdict, by)
                if *verdict == self.verdict && *by == self.by.person =>
            {
                return Ok(Decision::NOTHING);
            }
            Adjustment::Decided(..) => return Err(Refusal::AlreadyDecided),
            Adjustment::Proposed(proposal) => proposal,
        };
        if self.verdict == Verdict::Approved && proposal.by == self.by.person {
            return Err(Refusal::OwnProposal);
        }
        let position = proposal.position;
        if self.if_at.is_some_and(|if_at| if_at != position) {
            return Err(Refusal::Changed { position });
        }
        let (adjustment, proposed_by) = (proposal.facts, proposal.by.clone());
        let by = self.by.person.clone();
        Ok(Decision::record([match self.verdict {
            Verdict::Approved => Event::AdjustmentApproved(AdjustmentApproved {
                adjustment,
                proposed_by,
                approved_by: by,
            }),
            Verdict::Rejected => Event::AdjustmentRejected(AdjustmentRejected {
                adjustment,
                proposed_by,
                rejected_by: by,
            }),
        }]))
    }
}

/// The reason sealed for `place`; nothing of an erased tenant.
fn seal(tenant: &TenantKey, place: EventPlace, reason: Option<&Personal>) -> Sealed {
    let sealed = reason.and_then(|reason| tenant.seal(&place.of_field(Sealed::REASON), reason));
    let fields = sealed.map(|sealed| (Sealed::REASON.to_owned(), sealed));
    Sealed(fields.into_iter().collect())
}

impl AdjustmentCommand {
    /// The stream of its adjustment.
    #[must_use]
    pub fn stream(&self) -> StreamId {
        StreamId::adjustment(match self {
            Self::Propose(propose) => propose.facts.adjustment_id,
            Self::Decide(decide) => decide.adjustment,
        })
    }
}

impl Command for AdjustmentCommand {
    fn record(&self, place: EventPlace, event: Event) -> EventData {
        let (tenant, reason, by) = match self {
            Self::Propose(propose) => (&propose.payer.tenant, Some(&propose.reason), &propose.by),
            Self::Decide(decide) => (&decide.tenant, decide.reason.as_ref(), &decide.by),
        };
        let (id, account) = match &event {
            Event::AdjustmentProposed(AdjustmentProposed { adjustment, .. }) => {
                let id = EventId::of_proposal(adjustment.adjustment_id);
                (id, adjustment.account_id)
            }
            Event::AdjustmentApproved(AdjustmentApproved { adjustment, .. })
            | Event::AdjustmentRejected(AdjustmentRejected { adjustment, .. }) => {
                let id = EventId::of_decision(adjustment.adjustment_id);
                (id, adjustment.account_id)
            }
            // Unwrap safety: nothing else is decided above.
            _ => unreachable!("an event of an adjustment"),
        };
        EventData {
            tenant: Some(tenant.pseudonym),
            account: Some(account),
            sealed: seal(tenant, place, reason),
            ..by.origin.record(id, event)
        }
    }
}

#[cfg(test)]
mod tests;
