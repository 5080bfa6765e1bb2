//! What is kept of who looked at whose data: everything, in a stream per request.
//!
//! A refusal may be repeated without end by anybody with a valid token, so what the caller repeats
//! within a minute comes here as one access more, with a count ([`super::refusals`]). A stream so has
//! at most two events, and what it costs to add one does not depend on other requests.

use std::{collections::HashSet, convert::Infallible};

use eventstore::{EventData, RecordedEvent};
use schema::{
    AccountId, Event, EventId, Pseudonym, StreamId,
    event::{AccessRefused, CrossAccountRead, PersonalDataRevealed},
};

use crate::runtime::{
    decider::{Command, Decider, Decision, EventPlace},
    origin::Origin,
};

/// What somebody did, or was refused.
#[derive(Debug, Clone)]
pub enum Access {
    /// Read data that is not theirs.
    Read(CrossAccountRead),
    /// Wanted to, and was refused.
    Refused(AccessRefused),
    /// Was refused the same again, and again, soon after.
    RefusedAgain(AccessRefused),
    /// Is about to see what is sealed.
    Revealed(PersonalDataRevealed),
}

/// Keep this access.
#[derive(Debug, Clone)]
pub struct RecordAccess {
    /// Read, refused, or refused again.
    pub access: Access,
    /// Whose data, where that is known.
    pub tenant: Option<Pseudonym>,
    /// The request that looked.
    pub origin: Origin,
}

/// Decides for the streams of category `audit`.
#[derive(Debug)]
pub struct AccessDecider;

impl Decider for AccessDecider {
    /// The ids of the accesses recorded.
    type State = HashSet<EventId>;
    type Command = RecordAccess;
    type Refusal = Infallible;

    fn fold(state: &mut Self::State, event: &RecordedEvent) {
        state.insert(event.data.id);
    }

    fn decide(state: &Self::State, command: &RecordAccess) -> Result<Decision, Infallible> {
        if state.contains(&command.id()) {
            return Ok(Decision::NOTHING);
        }
        Ok(Decision::record([match command.access.clone() {
            Access::Read(read) => Event::CrossAccountRead(read),
            Access::Refused(refused) | Access::RefusedAgain(refused) => {
                Event::AccessRefused(refused)
            }
            Access::Revealed(revealed) => Event::PersonalDataRevealed(revealed),
        }]))
    }

    /// Nobody asks for a request's stream a second time, or hardly.
    fn is_finished(_: &Self::State) -> bool {
        true
    }
}

impl RecordAccess {
    /// The stream of its request.
    #[must_use]
    pub const fn stream(&self) -> StreamId {
        StreamId::access(self.origin.request)
    }

    const fn account(&self) -> Option<AccountId> {
        match &self.access {
            Access::Read(read) => read.account_id,
            Access::Refused(refused) | Access::RefusedAgain(refused) => refused.account_id,
            Access::Revealed(revealed) => revealed.account_id,
        }
    }

    fn id(&self) -> EventId {
        let kind = match self.access {
            Access::Read(_) | Access::Refused(_) | Access::Revealed(_) => "access",
            Access::RefusedAgain(_) => "access-again",
        };
        let request = self.origin.request;
        EventId::of_request(kind, request, request)
    }
}

impl Command for RecordAccess {
    fn record(&self, _: EventPlace, event: Event) -> EventData {
        EventData {
            tenant: self.tenant,
            account: self.account(),
            ..self.origin.record(self.id(), event)
        }
    }
}

#[cfg(test)]
mod tests {
    use schema::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::runtime::decider::testing::given;

    fn recorded(request: u128, access: Access) -> RecordAccess {
        RecordAccess {
            access,
            tenant: None,
            origin: Origin::of_request(request),
        }
    }

    fn read(request: u128) -> RecordAccess {
        let read = CrossAccountRead {
            endpoint: "GET /v1/billing/usage".into(),
            account_id: Some(AccountId(Uuid::from_u128(1))),
            caller_tenant: Pseudonym(Uuid::from_u128(8)),
            request_id: Uuid::from_u128(request),
        };
        recorded(request, Access::Read(read))
    }

    fn refused(calls: u32) -> AccessRefused {
        AccessRefused {
            endpoint: "GET /v1/billing/usage".into(),
            account_id: Some(AccountId(Uuid::from_u128(1))),
            caller_tenant: Pseudonym(Uuid::from_u128(8)),
            request_id: Uuid::from_u128(1),
            code: "forbidden".into(),
            calls,
            until: Timestamp::from_micros(0).expect("valid"),
            more_account_ids: Vec::new(),
        }
    }

    #[test]
    fn every_access_is_kept_in_a_stream_of_its_own_and_the_same_request_once() {
        let stream = read(1).stream();
        assert_eq!(given::<AccessDecider>(stream, &[]).when(&read(1)).len(), 1);
        assert_eq!(
            given::<AccessDecider>(stream, &[read(1)]).when(&read(1)),
            []
        );
        assert_ne!(read(2).stream(), stream);
    }

    #[test]
    fn what_is_refused_again_is_kept_once_after_what_was_refused_first() {
        let first = recorded(1, Access::Refused(refused(1)));
        let again = recorded(1, Access::RefusedAgain(refused(7)));
        assert_eq!(first.stream(), again.stream());
        let known = given::<AccessDecider>(first.stream(), std::slice::from_ref(&first));
        let events = known.when(&again);
        assert!(matches!(&events[..], [Event::AccessRefused(refused)] if refused.calls == 7));
        let known = given::<AccessDecider>(first.stream(), &[first, again.clone()]);
        assert_eq!(known.when(&again), []);
    }
}
