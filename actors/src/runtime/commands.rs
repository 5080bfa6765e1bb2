//! Commands from outside: the way from whoever asks to the actor that decides.
//!
//! A [`Dispatcher`] brings a command to the directory of its streams, and is answered once what
//! follows is on disk. It outlives the tree of actors behind it: while that is built anew, whoever
//! asks waits a little.

use std::{sync::Arc, time::Duration};

use eventstore::{
    StoreError,
    keyring::{Keyring, KeyringError},
};
use ractor::{ActorRef, ActorStatus, SpawnErr};
use schema::{Position, Pseudonym, StreamId, TenantId};
use tokio::{sync::watch, time::timeout};

use super::{
    decider::Decider,
    directory::{self, DirectoryRef},
    log_handle::LogHandle,
    stream_actor::Verdict,
    view::ViewError,
};

/// How long a caller waits while the actors are built anew.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the log says after a command: where it stands, and whether the command added anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The position of the last event that says so: whoever has seen it has seen all of it. What
    /// was known before has the position of its stream's last event.
    pub position: Position,
    /// Whether it is new. If not, it was known before, and nothing was recorded.
    pub new: bool,
}

/// Why nothing was written, or it is not known whether.
#[derive(Debug, thiserror::Error)]
pub enum CommandError<R> {
    /// The decider refused the command, for this reason.
    #[error("refused")]
    Refused(R),
    /// Too many others at the same thing; nothing was written.
    #[error("too many others change the same")]
    Contended,
    /// The actors are not there, or went away; it may be asked again.
    #[error("the actors are being started")]
    Away,
    /// The log failed; it may be asked again.
    #[error("recording what was asked")]
    Store(#[source] Arc<StoreError>),
    /// The keyring failed; nothing was written.
    #[error("finding the tenant")]
    Keyring(#[source] KeyringError),
    /// What the command is checked against could not be seen; nothing was written.
    #[error("checking what was asked")]
    View(#[source] ViewError),
}

/// Brings commands to the deciders `D`. Cheap to clone; all clones serve the same directory.
pub struct Dispatcher<D: Decider>(Arc<watch::Sender<Option<DirectoryRef<D>>>>);

impl<D: Decider> Dispatcher<D> {
    /// Starts the directory that it brings commands to from now on, below `root`.
    ///
    /// # Errors
    /// The directory could not be started.
    pub(crate) async fn open(
        &self,
        log: &LogHandle,
        live_max: usize,
        root: &ActorRef<()>,
    ) -> Result<(), SpawnErr> {
        let directory = directory::open(log, live_max, root).await?;
        self.0.send_replace(Some(directory));
        Ok(())
    }

    /// Has the actor of `stream` decide `command`.
    ///
    /// # Errors
    /// A refusal, or a fault.
    pub(crate) async fn dispatch(
        &self,
        stream: StreamId,
        command: D::Command,
    ) -> Result<Written, CommandError<D::Refusal>> {
        let directory = self.directory().await.ok_or(CommandError::Away)?;
        let verdict = directory::ask(&directory, stream, command).await;
        let (position, new) = match verdict.ok_or(CommandError::Away)? {
            Verdict::Recorded { position } => (position, true),
            Verdict::Known { position } => (position, false),
            Verdict::Refused(refusal) => return Err(CommandError::Refused(refusal)),
            Verdict::GuardMoved(_) | Verdict::Contended => return Err(CommandError::Contended),
            Verdict::Failed(fault) => return Err(CommandError::Store(fault)),
        };
        Ok(Written { position, new })
    }

    /// The directory, once there is one that lives; nothing if there is none in time.
    async fn directory(&self) -> Option<DirectoryRef<D>> {
        let lives = |directory: &Option<DirectoryRef<D>>| {
            let directory = directory.as_ref();
            directory.is_some_and(|directory| directory.get_status() < ActorStatus::Draining)
        };
        let mut directory = self.0.subscribe();
        let open = timeout(PATIENCE, directory.wait_for(lives)).await;
        open.ok()?.ok()?.clone()
    }
}

impl<D: Decider> Default for Dispatcher<D> {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }
}

impl<D: Decider> Clone for Dispatcher<D> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// What stands for `tenant` in the log, if it is about one.
pub(crate) async fn pseudonym<R>(
    keyring: &dyn Keyring,
    tenant: Option<TenantId>,
) -> Result<Option<Pseudonym>, CommandError<R>> {
    let Some(tenant) = tenant else {
        return Ok(None);
    };
    let known = keyring.of_tenant(tenant).await;
    Ok(Some(known.map_err(CommandError::Keyring)?.pseudonym))
}
