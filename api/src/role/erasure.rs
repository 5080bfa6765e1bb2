//! `tollbook erasure`: erases the tenants that are to be erased, and proves of one that it is.
//!
//! A service records that a tenant is to be erased; destroying its key and renaming its rows takes
//! `tollbook_admin`, whom no service may be. Both commands may run at any time and again.

use std::{fs, path::Path, sync::Arc};

use actors::erasure::completion::complete;
use eventstore::{
    EventStore,
    keyring::MasterKeyFile,
    postgres::{Database, Eraser, PgKeyring, PgStore},
};
use projections::erasure::{
    erasures::{Pending, pending},
    verify::{Check, verify},
};
use schema::{TenantId, event::TenantErased};

use super::{
    RoleError,
    keys::{connect, master_keys},
    say,
};
use crate::{
    cli::{ErasureCommand, ErasureSettings, VerifyErasure},
    keys,
    service::LOG,
};

/// Why a tenant could not be erased, or is not known to be.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// The log or the keyring failed.
    #[error("erasing")]
    Keyring(#[from] eventstore::keyring::KeyringError),
    /// What is to be erased could not be read.
    #[error("finding whom to erase")]
    Store(#[from] eventstore::StoreError),
    /// It was done and could not be recorded.
    #[error(transparent)]
    Completion(#[from] actors::erasure::completion::CompletionError),
    /// A file that was to be searched could not be read.
    #[error("reading {path}")]
    File {
        /// As it was named.
        path: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// Something still names the tenant, or opens its data.
    #[error("the tenant is not erased: {0} checks failed")]
    NotErased(usize),
}

/// Does what the command says.
///
/// # Errors
/// It could not, or the tenant is not erased.
pub async fn run(settings: &ErasureSettings) -> Result<(), RoleError> {
    let masters = master_keys(&settings.master_key)?;
    let database = connect(&settings.database, "tollbook-erasure")?;
    let keyring = PgKeyring::new(database.clone(), masters.clone());
    keys::check(&masters, &keyring).await?;
    match &settings.command {
        ErasureCommand::Run => erase_all(&database, masters).await?,
        ErasureCommand::Verify(asked) => prove(&database, &keyring, asked).await?,
    }
    Ok(())
}

/// Erases everybody who is to be, one after the other, and records each.
async fn erase_all(database: &Database, masters: MasterKeyFile) -> Result<(), ErasureError> {
    let eraser = Eraser::new(database.clone(), masters);
    let store: Arc<dyn EventStore> = Arc::new(PgStore::new(database.clone(), LOG));
    let pending = pending(database, LOG).await?;
    if pending.is_empty() {
        say("nobody is to be erased");
    }
    for Pending { pseudonym, tenant } in pending {
        let Some(done) = eraser.erase(pseudonym, tenant).await? else {
            say(format_args!("{} is nobody here; left alone", pseudonym.0));
            continue;
        };
        // Nothing names the tenant any more. If we stop here, the next run finds that and records it.
        let record = TenantErased {
            erased_at: done.at,
            rows: done.renamed,
        };
        complete(&store, LOG, pseudonym, record).await?;
        say(format_args!(
            "{} is erased: its key is destroyed, {} rows were renamed",
            pseudonym.0, done.renamed
        ));
    }
    Ok(())
}

/// Looks at everything there is, and says what it found.
async fn prove(
    database: &Database,
    keyring: &PgKeyring,
    asked: &VerifyErasure,
) -> Result<(), ErasureError> {
    let mut checks = verify(database, keyring, LOG, asked.tenant_id).await?;
    for path in &asked.log_file {
        checks.push(searched(path, asked.tenant_id)?);
    }
    for Check { good, text } in &checks {
        say(format_args!(
            "{} {text}",
            if *good { "ok   " } else { "FOUND" }
        ));
    }
    match checks.iter().filter(|check| !check.good).count() {
        0 => Ok(()),
        found => Err(ErasureError::NotErased(found)),
    }
}

/// Whether a file of log lines, or of whatever else, names the tenant.
fn searched(path: &Path, tenant: TenantId) -> Result<Check, ErasureError> {
    let read = fs::read(path).map_err(|source| ErasureError::File {
        path: path.display().to_string(),
        source,
    })?;
    let content = String::from_utf8_lossy(&read).to_ascii_lowercase();
    let forms = [
        tenant.0.hyphenated().to_string(),
        tenant.0.simple().to_string(),
    ];
    let lines = content.lines();
    let found = lines.filter(|line| forms.iter().any(|form| line.contains(form)));
    let found = found.count();
    let text = format!("{found} lines of {} name it", path.display());
    Ok(Check {
        good: found == 0,
        text,
    })
}
