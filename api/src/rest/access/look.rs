//! Looks at data that is not the caller's own. Each is in the log before it is answered, whether it
//! is allowed or refused; what cannot be recorded is not answered.
//!
//! The right to such a look is asked here and not in front of the endpoint, because a refusal is to
//! be recorded too.

pub(in crate::rest) use actors::access::commands::Look;

use crate::{
    http::problem::{Code, Problem},
    identity::Right,
    rest::{context::RequestContext, fault, state::AppState},
};

/// What a look may be refused with.
pub(in crate::rest) const CODES: &[Code] =
    &[Code::RightMissing, Code::Unavailable, Code::Contended];

/// Who sees what finance settles: accounts, charges that wait, contradictions.
pub(in crate::rest) const TO_SETTLE: &[Right] = &[Right::BillingAdmin, Right::ReadAnyAccount];

/// Goes on if the caller has `right`.
///
/// # Errors
/// They have not, and that is recorded, or it could not be.
pub(in crate::rest) async fn needs(
    shared: &AppState,
    context: &RequestContext,
    right: Right,
    look: Look,
) -> Result<(), Problem> {
    needs_one_of(shared, context, &[right], look).await
}

/// Goes on if the caller has one of `rights`.
///
/// # Errors
/// As for [`needs`].
pub(in crate::rest) async fn needs_one_of(
    shared: &AppState,
    context: &RequestContext,
    rights: &[Right],
    look: Look,
) -> Result<(), Problem> {
    if rights.iter().any(|right| context.caller.may(*right)) {
        return Ok(());
    }
    let names: Vec<String> = rights.iter().map(ToString::to_string).collect();
    let needed = format!("needs {}", names.join(" or "));
    let problem = Problem::new(Code::RightMissing).because(needed);
    Err(refused(shared, context, look, problem).await)
}

/// Records that the caller sees this.
///
/// # Errors
/// It could not be recorded.
pub(in crate::rest) async fn allowed(
    shared: &AppState,
    context: &RequestContext,
    look: Look,
) -> Result<(), Problem> {
    let caller = context.caller(shared, context.fresh).await?;
    let recorded = shared.commands.access.record_read(caller, look).await;
    recorded.map_err(|error| fault::undone(error, |never| match never {}))
}

/// Records that the caller was refused to see this, with `problem`. Says what to answer: `problem`,
/// or why it could not be recorded. Whose data it is, if it is there at all, is not looked up: who
/// may not see it cannot tell from anything whether it exists.
pub(in crate::rest) async fn refused(
    shared: &AppState,
    context: &RequestContext,
    look: Look,
    problem: Problem,
) -> Problem {
    let caller = match context.caller(shared, context.fresh).await {
        Ok(caller) => caller,
        Err(fault) => return fault,
    };
    let code = problem.code().as_str();
    let recorded = shared
        .commands
        .access
        .record_refusal(caller, look, code)
        .await;
    match recorded {
        Ok(()) => problem,
        Err(error) => fault::undone(error, |never| match never {}),
    }
}
