//! `tollbook reconcile`: matches orphaned receipts again, once, however old they are.

use super::{RoleError, dlr};
use crate::{cli::DlrSettings, service::Login, services, shutdown::Shutdown};

/// Goes through all open orphans once.
///
/// # Errors
/// Something needed is not there, or an orphan could not be looked at.
pub async fn run(settings: DlrSettings, shutdown: Shutdown) -> Result<(), RoleError> {
    let login = Login {
        application: "tollbook-reconcile",
        ..services::DLR.login()
    };
    let context = dlr::connect(settings, login, shutdown).await?;
    reconcile(&context).await
}

/// Matches what can be matched and says how much that was.
///
/// # Errors
/// An orphan could not be looked at.
pub async fn reconcile(context: &dlr::Context) -> Result<(), RoleError> {
    let matched = actors::services::dlr::reconcile(&context.deps(), &context.options()).await?;
    super::say(format_args!("{matched} orphans matched"));
    Ok(())
}
