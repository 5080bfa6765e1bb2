//! What a request brings along with what it asks: who makes it, under which id, in which trace.

use actors::{access::commands::Caller, runtime::origin::Origin};
use axum::{extract::FromRequestParts, http::request::Parts};
use eventstore::clock;
use schema::{Timestamp, id::derive};
use tracing::Span;
use uuid::Uuid;

use super::{fault, state::AppState};
use crate::{
    http::{
        caller::CallerRef,
        headers::IdempotencyKey,
        openapi::{Documented, Operation},
        problem::Problem,
        request_id::RequestId,
    },
    telemetry::traceparent,
};

/// Who asks for something to be recorded.
#[derive(Debug, Clone)]
pub(super) struct RequestContext {
    /// The caller.
    pub(super) caller: CallerRef,
    /// What we call the request. Not the caller's own word, which may come again with something
    /// else.
    pub(super) fresh: Uuid,
    /// When it arrived: the one time that everything about it has.
    pub(super) arrived: Timestamp,
}

impl RequestContext {
    /// The caller as the log knows them, with the request that is a repeat if it comes again.
    ///
    /// # Errors
    /// What stands for their tenant in the log cannot be had.
    pub(super) async fn caller(&self, shared: &AppState, request: Uuid) -> Result<Caller, Problem> {
        let known = shared.keyring.of_tenant(self.caller.tenant()).await;
        let tenant = known.map_err(|error| fault::keyless(&error))?.pseudonym;
        let origin = Origin {
            request,
            time: self.arrived,
            principal: self.caller.principal.recorded(tenant).into(),
            trace: traceparent::of(&Span::current()),
        };
        Ok(Caller { origin, tenant })
    }

    /// The same as the origin of what is asked.
    ///
    /// # Errors
    /// As for [`Self::caller`].
    pub(super) async fn origin(&self, shared: &AppState, request: Uuid) -> Result<Origin, Problem> {
        Ok(self.caller(shared, request).await?.origin)
    }

    /// The request of this piece of work: the same for the same caller, `operation` and key;
    /// without a key it is new.
    pub(super) fn request(&self, operation: &str, key: &IdempotencyKey) -> Uuid {
        match &key.0 {
            Some(key) => {
                let caller = self.caller.principal.parts();
                let work = [operation.as_bytes(), key.as_bytes()];
                derive("request", &[&caller[..], &work].concat())
            }
            None => self.fresh,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let request_id = RequestId::from_request_parts(parts, state).await?;
        Ok(Self {
            caller: CallerRef::from_request_parts(parts, state).await?,
            fresh: request_id.own(),
            arrived: clock::now(),
        })
    }
}

impl Documented for RequestContext {
    fn document(_: &mut Operation) {}
}
