//! `tollbook reveal`: shows a person what is sealed of a message or an orphan. That they asked, and
//! why, is an event before anything is opened.
//!
//! What is opened goes to stdout and nowhere else. It is a job of `tollbook_admin`: no service's role
//! can record the event, and what is not recorded is not opened.

use std::sync::Arc;

use actors::{
    access::reveal::{RevealError, Revealed, Revealing, Wanted},
    runtime::origin::Origin,
};
use eventstore::{
    clock,
    log::chain,
    postgres::{PgKeyring, PgStore},
};
use projections::{Reader, receipts::orphaned_receipts};
use schema::StreamId;
use serde_json::json;
use uuid::Uuid;

use super::{
    RoleError,
    keys::{JOBS, connect, master_keys},
    say,
};
use crate::{cli::RevealSettings, database, service::LOG};

/// Records who asks, then prints a line of JSON per value.
///
/// # Errors
/// Nothing was opened, or not everything can be read.
pub async fn run(settings: RevealSettings) -> Result<(), RoleError> {
    let file = master_keys(&settings.master_key)?;
    let database = connect(&settings.database, "tollbook-reveal")?;
    database::check_job(&database, JOBS).await?;
    let wanted = wanted(&settings, &Reader::new(database.clone(), LOG)).await?;
    let revealing = Revealing {
        store: Arc::new(PgStore::new(database.clone(), LOG)),
        log: LOG,
        keyring: Arc::new(PgKeyring::new(database, file)),
    };
    let origin = Origin {
        request: mint(),
        time: clock::now(),
        principal: format!("person {}", settings.principal).into(),
        trace: None,
    };
    let revealed = revealing.reveal(&wanted, settings.reason, origin).await?;
    revealed.iter().for_each(show);
    match revealed.iter().filter(|one| one.value.is_err()).count() {
        0 => Ok(()),
        unreadable => Err(RoleError::NotRevealed(unreadable)),
    }
}

/// Where that stands in the log.
async fn wanted(settings: &RevealSettings, reader: &Reader) -> Result<Wanted, RoleError> {
    let fields = settings.field.clone();
    let (stream, event) = match (settings.message, settings.orphan) {
        (Some(message), _) => (StreamId::message(message), None),
        (None, Some(orphan)) => {
            let about = orphaned_receipts::about(reader, orphan).await?;
            let (operator, message) = about.ok_or(RevealError::Unknown)?;
            (StreamId::orphan(operator, &message), Some(orphan))
        }
        (None, None) => return Err(RevealError::Unknown.into()),
    };
    Ok(Wanted {
        stream,
        event,
        fields,
    })
}

/// Prints a value as JSON, which a terminal does not obey.
fn show(one: &Revealed) {
    let (position, field) = (one.position.0, &one.field);
    match &one.value {
        Ok(personal) => {
            let value = personal.expose();
            say(json!({ "position": position, "field": field, "value": value }));
        }
        Err(error) => {
            let why = chain(error);
            say(json!({ "position": position, "field": field, "unreadable": why }));
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "each time somebody asks is like no other"
)]
fn mint() -> Uuid {
    Uuid::now_v7()
}
