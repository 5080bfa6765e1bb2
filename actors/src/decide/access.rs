//! What is kept of who looked at whose data: everything, once per request, in the stream of its
//! day.

use std::{collections::HashSet, convert::Infallible};

use eventstore::{NewEvent, RecordedEvent};
use schema::{
    AccountId, Event, EventId, Pseudonym, Sealed, StreamId, Timestamp,
    event::{AccessRefused, CrossAccountRead},
};
use uuid::Uuid;

use super::{Command, Decider, EventPlace};

/// What somebody did, or was refused.
#[derive(Debug, Clone)]
pub enum Access {
    /// Read the data of an account that is not theirs.
    Read(CrossAccountRead),
    /// Wanted to, and was refused.
    Refused(AccessRefused),
}

/// Keep this access.
#[derive(Debug, Clone)]
pub struct RecordAccess {
    /// What.
    pub access: Access,
    /// Whose data, where that is known.
    pub tenant: Option<Pseudonym>,
    /// The request; the same again is a repeat.
    pub request: Uuid,
    /// The time of the request.
    pub now: Timestamp,
    /// Who.
    pub principal: String,
    /// The `traceparent` it came with.
    pub trace: Option<String>,
}

/// Decides for the streams of category `audit`.
#[derive(Debug)]
pub struct AccessDecider;

impl Decider for AccessDecider {
    /// What has been kept.
    type State = HashSet<EventId>;
    type Command = RecordAccess;
    type Refusal = Infallible;

    fn fold(state: &mut Self::State, event: &RecordedEvent) {
        state.insert(event.fact.id);
    }

    fn decide(state: &Self::State, command: &RecordAccess) -> Result<Vec<Event>, Infallible> {
        if state.contains(&command.id()) {
            return Ok(Vec::new());
        }
        Ok(vec![match command.access.clone() {
            Access::Read(read) => Event::CrossAccountRead(read),
            Access::Refused(refused) => Event::AccessRefused(refused),
        }])
    }

    fn is_finished(_: &Self::State) -> bool {
        false
    }
}

impl RecordAccess {
    /// The stream of its day.
    #[must_use]
    pub fn stream(&self) -> StreamId {
        StreamId::audit(self.now.date())
    }

    fn account(&self) -> AccountId {
        match &self.access {
            Access::Read(read) => read.account_id,
            Access::Refused(refused) => refused.account_id,
        }
    }

    fn id(&self) -> EventId {
        EventId::of_request("access", self.account().0, self.request)
    }
}

impl Command for RecordAccess {
    fn record(&self, _: EventPlace, event: Event) -> NewEvent {
        NewEvent {
            id: self.id(),
            event,
            tenant: self.tenant,
            account: Some(self.account()),
            occurred_at: self.now,
            cause: Some(self.request),
            trace: self.trace.clone(),
            principal: self.principal.clone(),
            sealed: Sealed::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::testing::given;

    fn read(request: u128, account: u128) -> RecordAccess {
        RecordAccess {
            access: Access::Read(CrossAccountRead {
                endpoint: "GET /v1/billing/usage".into(),
                account_id: AccountId(Uuid::from_u128(account)),
                caller_tenant: Pseudonym(Uuid::from_u128(8)),
                request_id: "r".into(),
            }),
            tenant: None,
            request: Uuid::from_u128(request),
            now: Timestamp::from_micros(0).expect("valid"),
            principal: "anna".into(),
            trace: None,
        }
    }

    #[test]
    fn every_access_is_kept_and_the_same_request_once() {
        let stream = read(1, 1).stream();
        assert_eq!(
            given::<AccessDecider>(stream, &[]).when(&read(1, 1)).len(),
            1
        );
        let kept = given::<AccessDecider>(stream, &[read(1, 1)]);
        assert_eq!(kept.when(&read(1, 1)), []);
        assert_eq!(kept.when(&read(2, 1)).len(), 1);
        assert_eq!(kept.when(&read(1, 2)).len(), 1);
    }

    #[test]
    fn a_refused_access_is_kept_as_refused() {
        let refused = RecordAccess {
            access: Access::Refused(AccessRefused {
                endpoint: "GET /v1/billing/usage".into(),
                account_id: AccountId(Uuid::from_u128(1)),
                caller_tenant: Pseudonym(Uuid::from_u128(8)),
                request_id: "r".into(),
                code: "forbidden".into(),
            }),
            ..read(1, 1)
        };
        let events = given::<AccessDecider>(refused.stream(), &[]).when(&refused);
        assert!(matches!(events[..], [Event::AccessRefused(_)]));
    }
}
