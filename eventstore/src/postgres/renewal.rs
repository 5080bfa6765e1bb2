//! What a connection is made with, and what happens to older connections when that changes.
//!
//! Address and authorities are read anew for each connection. What let us in last stays in mind:
//! where the files hold something that does not, it is used instead, until they hold something
//! that does. Then connections made before are given up, for whoever rotates a password revokes
//! the old one. It must never show the address, which holds a password.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use deadpool_postgres::{Connect, Hook, HookError, Pool};
use futures::future::BoxFuture;
use tokio::{
    sync::Mutex as AsyncMutex,
    time::{sleep, timeout},
};
use tokio_postgres::{Config, error::SqlState};

use super::{
    connector::{Connector, DatabaseOptionsError, Opened, Target, nowhere},
    faults,
};
use crate::{files::Stamps, log::chain};

/// How often the files are looked at while the pool is in use.
const LOOK: Duration = Duration::from_secs(2);
/// How long a login that was refused waits for a file with another one: whoever rotates changes
/// the password first and the file a moment later.
const OTHER_LOGIN: Duration = Duration::from_secs(4);
/// How often the file is looked at meanwhile.
const OTHER_LOGIN_LOOK: Duration = Duration::from_millis(100);

/// Makes the connections of one pool, and looks after those that were made.
pub(super) struct Renewal {
    connector: Connector,
    /// What let us in last.
    proven: Mutex<Option<Target>>,
    /// What the log was last told to be of no use.
    told: Mutex<Option<Stamps>>,
    look: AsyncMutex<Look>,
    /// Connections made before are not used any more.
    since: Arc<Mutex<Option<Instant>>>,
}

struct Look {
    /// Of what the connections of the pool were made.
    stamps: Stamps,
    last: Instant,
}

/// As the pool wants it.
pub(super) struct Connecting(pub(super) Arc<Renewal>);

impl Connect for Connecting {
    fn connect(&self, _: &Config) -> BoxFuture<'_, Result<Opened, tokio_postgres::Error>> {
        Box::pin(self.0.connect())
    }
}

impl Renewal {
    /// Reads the options, so that they are known to be good.
    pub(super) fn new(connector: Connector) -> Result<(Self, Config), DatabaseOptionsError> {
        let target = connector.read()?;
        let look = Look {
            stamps: target.stamps,
            last: Instant::now(),
        };
        let renewal = Self {
            connector,
            proven: Mutex::default(),
            told: Mutex::default(),
            look: AsyncMutex::new(look),
            since: Arc::default(),
        };
        Ok((renewal, target.config))
    }

    /// Refuses a pooled connection that is older than what is in use now.
    pub(super) fn refuse_older(&self) -> Hook {
        let since = Arc::clone(&self.since);
        Hook::sync_fn(move |_, metrics| {
            let since = *since.lock().unwrap_or_else(PoisonError::into_inner);
            if since.is_some_and(|since| metrics.created < since) {
                return Err(HookError::message("made with what has been rotated"));
            }
            Ok(())
        })
    }

    /// Gives up the connections made before the files changed, once what they hold now lets us in.
    /// Looks at most once in a while; one does it, others go on meanwhile.
    pub(super) async fn look(&self, pool: &Pool) {
        let Ok(mut look) = self.look.try_lock() else {
            return;
        };
        if look.last.elapsed() < LOOK {
            return;
        }
        look.last = Instant::now();
        let stamps = self.connector.stamps();
        if stamps == look.stamps {
            return;
        }
        let target = match self.connector.read() {
            Ok(target) => target,
            Err(error) => return self.tell(stamps, &error),
        };
        match target.open().await {
            Ok(_) => {
                tracing::info!(event = "database.credentials_rotated");
                look.stamps = target.stamps.clone();
                self.prove(target);
                let now = Instant::now();
                *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
                pool.retain(|_, metrics| metrics.created >= now);
            }
            Err(error) if faults::is_passing(&error) => {}
            Err(error) => self.tell(target.stamps, &error),
        }
    }

    async fn connect(&self) -> Result<Opened, tokio_postgres::Error> {
        let target = match self.connector.read() {
            Ok(target) => target,
            Err(error) => {
                self.tell(self.connector.stamps(), &error);
                return match self.proven() {
                    Some(proven) => proven.open().await,
                    None => nowhere().await,
                };
            }
        };
        match target.open().await {
            Ok(opened) => {
                self.prove(target);
                Ok(opened)
            }
            Err(error) if faults::is_passing(&error) => Err(error),
            Err(error) => self.otherwise(&target.stamps, error).await,
        }
    }

    /// What the files hold was refused: what they hold in a moment may not be, and what they held
    /// before may still do.
    async fn otherwise(
        &self,
        stamps: &Stamps,
        error: tokio_postgres::Error,
    ) -> Result<Opened, tokio_postgres::Error> {
        if let Some(proven) = self.proven().filter(|proven| proven.stamps != *stamps) {
            self.tell(stamps.clone(), &error);
            return proven.open().await;
        }
        let refused = error.code() == Some(&SqlState::INVALID_PASSWORD);
        if !refused || !self.connector.has_files() {
            return Err(error);
        }
        let changed = async {
            while self.connector.stamps() == *stamps {
                sleep(OTHER_LOGIN_LOOK).await;
            }
        };
        match (timeout(OTHER_LOGIN, changed).await, self.connector.read()) {
            (Ok(()), Ok(target)) => {
                let opened = target.open().await?;
                self.prove(target);
                Ok(opened)
            }
            _ => Err(error),
        }
    }

    fn proven(&self) -> Option<Target> {
        let proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        proven.clone()
    }

    fn prove(&self, target: Target) {
        *self.proven.lock().unwrap_or_else(PoisonError::into_inner) = Some(target);
    }

    /// Says once what is wrong with what the files hold.
    fn tell(&self, stamps: Stamps, error: &(dyn std::error::Error + 'static)) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.as_ref() != Some(&stamps) {
            *told = Some(stamps);
            tracing::warn!(event = "database.credentials_unusable", error = %chain(error));
        }
    }
}
