//! What happens to a tenant that wants to be forgotten: first somebody asks for it, then it is done.
//!
//! Both are facts of the tenant's stream, which is called by its pseudonym. They are decided by
//! different processes: the service that hears the announcement may not destroy a key, and the job
//! that destroys it (`tollbook erasure run`) hears nobody.

use eventstore::{EventData, RecordedEvent};
use schema::{
    Event, EventId, Pseudonym, StreamId,
    event::{ErasureRequested, TenantErased},
};

use crate::runtime::{
    decider::{Command, Decider, Decision, EventPlace},
    origin::Origin,
};

/// Whether a tenant is to be forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tenant {
    /// Nobody asked for it.
    #[default]
    Known,
    /// It is to be erased.
    Requested(ErasureRequested),
    /// It is erased.
    Erased(ErasureRequested),
}

impl Tenant {
    /// The announcement that asked for it, if one did.
    #[must_use]
    pub const fn requested(&self) -> Option<&ErasureRequested> {
        match self {
            Self::Known => None,
            Self::Requested(request) | Self::Erased(request) => Some(request),
        }
    }
}

/// What is said of a tenant.
#[derive(Debug, Clone)]
pub struct TenantCommand {
    /// By the name that the log has for it.
    pub tenant: Pseudonym,
    /// What.
    pub erasure: Erasure,
    /// The announcement, or the run of the job.
    pub origin: Origin,
}

/// How far an erasure is.
#[derive(Debug, Clone, Copy)]
pub enum Erasure {
    /// The platform asks for it.
    Request(ErasureRequested),
    /// It was done.
    Complete(TenantErased),
}

/// Nobody asked for the tenant to be erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody asked for this tenant to be erased")]
pub struct NotRequested;

/// Decides for the streams of category `tenant`.
#[derive(Debug)]
pub struct TenantDecider;

impl Decider for TenantDecider {
    type State = Tenant;
    type Command = TenantCommand;
    type Refusal = NotRequested;

    fn fold(state: &mut Tenant, event: &RecordedEvent) {
        match (&event.data.event, *state) {
            (Event::ErasureRequested(request), Tenant::Known) => {
                *state = Tenant::Requested(*request);
            }
            (Event::TenantErased(_), Tenant::Requested(request)) => {
                *state = Tenant::Erased(request);
            }
            _ => {}
        }
    }

    fn decide(state: &Tenant, command: &TenantCommand) -> Result<Decision, NotRequested> {
        match (state, command.erasure) {
            (Tenant::Known, Erasure::Complete(_)) => Err(NotRequested),
            (Tenant::Known, Erasure::Request(request)) => {
                Ok(Decision::record([Event::ErasureRequested(request)]))
            }
            (Tenant::Requested(_), Erasure::Complete(erased)) => {
                Ok(Decision::record([Event::TenantErased(erased)]))
            }
            // It is asked for once and done once.
            (Tenant::Requested(_) | Tenant::Erased(_), _) => Ok(Decision::NOTHING),
        }
    }

    fn is_finished(_: &Tenant) -> bool {
        true
    }
}

impl TenantCommand {
    /// The stream of its tenant.
    #[must_use]
    pub const fn stream(&self) -> StreamId {
        StreamId::tenant(self.tenant)
    }
}

impl Command for TenantCommand {
    fn record(&self, _: EventPlace, event: Event) -> EventData {
        let id = match self.erasure {
            Erasure::Request(request) => {
                EventId::of_request("erasure", self.tenant.0, request.source_event_id)
            }
            Erasure::Complete(_) => EventId::of_erasure(self.tenant),
        };
        EventData {
            tenant: Some(self.tenant),
            ..self.origin.record(id, event)
        }
    }
}

#[cfg(test)]
mod tests {
    use schema::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::runtime::decider::testing::{self, Given};

    const TENANT: Pseudonym = Pseudonym(Uuid::from_u128(5));

    fn given(before: &[TenantCommand]) -> Given<TenantDecider> {
        testing::given(StreamId::tenant(TENANT), before)
    }

    fn command(erasure: Erasure) -> TenantCommand {
        TenantCommand {
            tenant: TENANT,
            erasure,
            origin: Origin::of_request(1),
        }
    }

    fn requested(announcement: u128) -> TenantCommand {
        let at = Timestamp::from_micros(0).expect("the epoch");
        command(Erasure::Request(ErasureRequested {
            source_event_id: Uuid::from_u128(announcement),
            erased_at: at,
            received_at: at,
        }))
    }

    fn completed(rows: u64) -> TenantCommand {
        let erased_at = Timestamp::from_micros(0).expect("the epoch");
        command(Erasure::Complete(TenantErased { erased_at, rows }))
    }

    #[test]
    fn what_was_asked_for_is_done() {
        let asked = given(&[]).when(&requested(1));
        assert!(matches!(asked[..], [Event::ErasureRequested(_)]));
        let done = given(&[requested(1)]).when(&completed(7));
        assert!(matches!(&done[..], [Event::TenantErased(erased)] if erased.rows == 7));
    }

    #[test]
    fn what_nobody_asked_for_is_not_done() {
        assert_eq!(given(&[]).refuses(&completed(7)), NotRequested);
    }

    #[test]
    fn to_ask_or_to_do_it_again_adds_nothing() {
        assert_eq!(given(&[requested(1)]).when(&requested(1)), []);
        assert_eq!(
            given(&[requested(1)]).when(&requested(2)),
            [],
            "once is enough"
        );
        let erased = given(&[requested(1), completed(7)]);
        assert_eq!(erased.when(&completed(7)), []);
        assert_eq!(
            erased.when(&requested(2)),
            [],
            "there is nobody left to erase"
        );
    }
}
