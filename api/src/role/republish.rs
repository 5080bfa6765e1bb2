//! `tollbook republish`: announces again what was settled and is neither charged nor held, because
//! its announcement was acknowledged by NATS and lost. Run by a clock; it may run at any time.
//!
//! It reads the log as `auditor`, who sees both sides and may write nothing, and publishes as
//! `dlr-processor`, who alone may announce settlements. No right is added anywhere.

use std::sync::Arc;

use eventstore::{
    log::chain,
    postgres::{Database, PgStore},
};
use projections::receipts::republish::{Again, AnnounceAgain, Span};

use super::{RoleError, say};
use crate::{
    cli::RepublishSettings,
    config::ConfigError,
    database,
    nats::{self, Access},
    service::LOG,
    services,
};

/// Does it once, and says what was done.
///
/// # Errors
/// Something needed is not there, or not everything missing is known to be announced.
pub async fn run(settings: &RepublishSettings) -> Result<(), RoleError> {
    let access = Access::new(settings.nats.options()?, services::DLR.user)?;
    let database = Database::new(settings.database.options("tollbook-republish")?)
        .map_err(|error| ConfigError::value("DATABASE_URL", chain(&error)))?;
    database::check(&database, "auditor").await?;
    let client = nats::connect(&access, Arc::default(), Arc::default()).await?;
    let work = AnnounceAgain {
        store: Arc::new(PgStore::new(database.clone(), LOG)),
        database,
        log: LOG,
        client,
    };
    let span = Span {
        since: settings.republish_since,
        margin: settings.republish_margin,
    };
    match work.run(span).await? {
        Again::BillingStandsStill => say("billing stands still; nothing can be told to be lost"),
        Again::Announced(count) => say(format_args!("{count} settlements announced again")),
    }
    Ok(())
}
