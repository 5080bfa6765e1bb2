//! Looks at data that is not the caller's own. Each is in the log before it is answered, whether it
//! is allowed or refused; what cannot be recorded is not answered.
//!
//! The right to such a look is asked here and not in front of the endpoint, because a refusal is to
//! be recorded too.

pub(super) use actors::billing::desk::Look;

use super::{errand::Errand, fault, state::Shared};
use crate::{
    http::problem::{Code, Problem},
    identity::Right,
};

/// What a look may be refused with.
pub(super) const CODES: &[Code] = &[Code::RightMissing, Code::Unavailable, Code::Contended];

/// Goes on if the caller has `right`.
///
/// # Errors
/// They have not, and that is recorded, or it could not be.
pub(super) async fn needs(
    shared: &Shared,
    errand: &Errand,
    right: Right,
    look: Look,
) -> Result<(), Problem> {
    if errand.caller.may(right) {
        return Ok(());
    }
    let problem = Problem::new(Code::RightMissing).because(format!("needs {right}"));
    Err(refused(shared, errand, look, problem).await)
}

/// Records that the caller sees this.
///
/// # Errors
/// It could not be recorded.
pub(super) async fn allowed(shared: &Shared, errand: &Errand, look: Look) -> Result<(), Problem> {
    let caller = errand.at_desk(shared, errand.fresh).await?;
    let recorded = shared.desk.record_read(caller, look).await;
    recorded.map_err(|error| fault::undone(error, |never| match never {}))
}

/// Records that the caller was refused to see this, with `problem`. Says what to answer: `problem`,
/// or why it could not be recorded. Whose data it is, if it is there at all, is not looked up: who
/// may not see it cannot tell from anything whether it exists.
pub(super) async fn refused(
    shared: &Shared,
    errand: &Errand,
    look: Look,
    problem: Problem,
) -> Problem {
    let caller = match errand.at_desk(shared, errand.fresh).await {
        Ok(caller) => caller,
        Err(fault) => return fault,
    };
    let code = problem.code().as_str();
    let recorded = shared.desk.record_refusal(caller, look, code).await;
    match recorded {
        Ok(()) => problem,
        Err(error) => fault::undone(error, |never| match never {}),
    }
}
