//! `POST`: a new version for a period in which there is none.
//!
//! It may begin in the past; what is recorded already keeps what it was decided with.

use actors::prices::decide::Action;
use axum::{extract::State, http::Method};
use projections::prices::versions::{self, Version};
use schema::{Period, Timestamp};

use super::{OPENING, VersionResource, amend, id, reused, written};
use crate::{
    http::{
        answer::{Created, Located, Tagged},
        body::Body,
        endpoint::Endpoint,
        headers::IdempotencyKey,
        problem::{Code, Problem},
    },
    identity::Right,
    rest::{context::RequestContext, etag, fault, state::AppState, visible},
};

type Answer<K> = Located<Tagged<Created<<K as VersionResource>::Row>>>;

pub(super) fn endpoint<K: VersionResource>() -> Endpoint<AppState> {
    let (id, summary) = K::OPERATIONS.open;
    Endpoint::new(Method::POST, K::ALL, open::<K>)
        .named(id, summary)
        .needs(Right::BillingAdmin)
        .may_refuse(OPENING)
        .may_refuse(K::NOT_OPENED)
        .may_refuse(visible::CODES)
}

async fn open<K: VersionResource>(
    State(shared): State<AppState>,
    context: RequestContext,
    idempotency: IdempotencyKey,
    Body(new): Body<K::New>,
) -> Result<Answer<K>, Problem> {
    let new = K::opening(new)?;
    let (operation, _) = K::OPERATIONS.open;
    let request = context.request(operation, &idempotency);
    let dates = (new.effective_from, new.effective_to);
    let id = id::<K>(request, &(new.key, &new.terms, dates));
    if idempotency.0.is_some() {
        let found = versions::by_request::<K>(&shared.reader, request).await;
        match found.map_err(fault::unread)? {
            Some(version) if version.id == id => return Ok(answer(version)),
            Some(_) => return Err(reused()),
            None => {}
        }
    }

    let period = period(new.effective_from, new.effective_to, context.arrived)?;
    let action = Action::Open {
        id,
        terms: new.terms,
        period,
    };
    let origin = context.origin(&shared, request).await?;
    let opened = amend::<K>(&shared, origin, new.key, action, None, "/effectiveTo").await?;
    written::<K>(&shared, id, opened).await.map(answer)
}

fn answer<K: VersionResource>(version: Version<K>) -> Answer<K> {
    let place = K::place(version.id);
    let etag = etag::of(version.changed_position);
    Located(place, Tagged(etag, Created(version.into())))
}

/// The period that a caller wants: from now on where they say no beginning.
///
/// # Errors
/// It has no instant.
fn period(
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    now: Timestamp,
) -> Result<Period, Problem> {
    let period = Period {
        effective_from: from.unwrap_or(now),
        effective_to: to,
    };
    if period.is_empty() {
        return Err(Problem::new(Code::PeriodReversed).at("/effectiveTo"));
    }
    Ok(period)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros).expect("a time")
    }

    #[test]
    fn a_period_begins_now_unless_it_says_so_and_has_an_instant() {
        let wanted = period(None, None, at(7)).expect("good");
        assert_eq!((wanted.effective_from, wanted.effective_to), (at(7), None));
        assert!(period(Some(at(3)), Some(at(4)), at(7)).is_ok());
        for to in [3, 2] {
            let problem = period(Some(at(3)), Some(at(to)), at(7)).expect_err("refused");
            assert_eq!(problem.code(), Code::PeriodReversed);
        }
        assert!(period(None, Some(at(7)), at(7)).is_err());
    }
}
