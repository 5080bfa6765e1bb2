//! What stands before one endpoint: with which right, for how long.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use schema::TenantId;

use super::{
    body::BodyLimits,
    caller::CallerRef,
    edge::{Edge, Visitor},
    openapi::Operation,
    problem::{Code, Problem},
    shares::Part,
};

/// What stands before an endpoint.
pub(super) struct Guard {
    /// What it shares with the others.
    pub(super) edge: Arc<Edge>,
    /// What is asked for there.
    pub(super) operation: Operation,
}

impl Guard {
    fn admit(&self, visitor: Option<Visitor>) -> Result<CallerRef, Problem> {
        let caller = match visitor {
            Some(Visitor::Known(caller)) => caller,
            Some(Visitor::Stranger(problem)) => return Err(problem),
            // A route that nobody observes is a mistake of ours.
            None => return Err(Problem::new(Code::Internal)),
        };
        match self.operation.right() {
            Some(right) if !caller.may(right) => {
                Err(Problem::new(Code::RightMissing).because(format!("needs {right}")))
            }
            Some(_) | None => Ok(caller),
        }
    }

    /// A place for a question among those of the caller's tenant. Writes are few and need none.
    async fn place(&self, tenant: TenantId) -> Option<Part> {
        if !self.operation.is_question() {
            return None;
        }
        Some(self.edge.questions.wait(tenant).await)
    }

    /// How much of a body is read, and how long the answer may take.
    fn bounds(&self) -> (BodyLimits, Duration) {
        let edge = &self.edge;
        if self.operation.is_upload() {
            (edge.upload, edge.upload.patience * 2)
        } else {
            (edge.body, edge.timeout)
        }
    }

    /// An answer that the document does not promise is a mistake of ours; the caller gets it all
    /// the same, and we hear of it.
    fn check(&self, response: &Response) {
        let status = response.status();
        let problem = response.extensions().get::<Problem>().map(Problem::code);
        if !self.operation.promises(status, problem) {
            let (route, problem) = (self.operation.path(), problem.map(Code::as_str));
            let status = status.as_u16();
            tracing::error!(event = "http.undocumented_answer", route, status, problem);
        }
    }
}

/// Lets a call pass to its endpoint, for some time.
pub(super) async fn guarded(
    State(guard): State<Arc<Guard>>,
    mut request: Request,
    next: Next,
) -> Response {
    let visitor = request.extensions().get::<Visitor>().cloned();
    let caller = match guard.admit(visitor) {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    let tenant = caller.tenant();
    request.extensions_mut().insert(caller);
    let (limits, patience) = guard.bounds();
    request.extensions_mut().insert(limits);
    let answer = async {
        let _place = guard.place(tenant).await;
        next.run(request).await
    };
    let answer = tokio::time::timeout(patience, answer).await;
    let response = answer.unwrap_or_else(|_| Problem::new(Code::TimedOut).into_response());
    guard.check(&response);
    response
}
