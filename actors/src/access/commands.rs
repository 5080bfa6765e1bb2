//! What the edge has kept of looks at data that is not the caller's.

use std::{convert::Infallible, sync::Arc, time::Duration};

use eventstore::{clock, keyring::Keyring, log::chain};
use ractor::{ActorRef, SpawnErr};
use schema::{
    AccountId, Pseudonym, TenantId,
    event::{AccessRefused, CrossAccountRead},
};
use tokio::{sync::watch, time::timeout};

use super::{
    decide::{Access, AccessDecider, RecordAccess},
    refusals::{Noted, Refusals},
};
use crate::runtime::{
    commands::{CommandError, Dispatcher, pseudonym},
    log_handle::LogHandle,
    origin::Origin,
};

/// How often it is looked whether a minute of refusals is over.
const SWEEP: Duration = Duration::from_secs(1);

/// Whoever looks at data: their request, and whose people they are.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Their request.
    pub origin: Origin,
    /// The tenant they belong to.
    pub tenant: Pseudonym,
}

/// The data that somebody looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// The endpoint, as it is documented.
    pub endpoint: &'static str,
    /// The tenant whose data it is, where it is one's and known.
    pub tenant: Option<TenantId>,
    /// The account whose data it is, where it is one's.
    pub account: Option<AccountId>,
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Commands {
    keyring: Arc<dyn Keyring>,
    accesses: Dispatcher<AccessDecider>,
    refusals: Arc<Refusals>,
}

impl Commands {
    /// Commands that are carried out once they are opened; `keyring` says what stands for a
    /// tenant.
    #[must_use]
    pub fn new(keyring: Arc<dyn Keyring>) -> Self {
        Self {
            keyring,
            accesses: Dispatcher::default(),
            refusals: Arc::default(),
        }
    }

    /// Starts the actors that decide, below `root`.
    pub(crate) async fn open(
        &self,
        log: &LogHandle,
        live_max: usize,
        root: &ActorRef<()>,
    ) -> Result<(), SpawnErr> {
        self.accesses.open(log, live_max, root).await
    }

    /// Keeps that the caller looks at data that is not theirs.
    ///
    /// # Errors
    /// A fault. It is never refused.
    pub async fn record_read(
        &self,
        caller: Caller,
        look: Look,
    ) -> Result<(), CommandError<Infallible>> {
        let tenant = pseudonym(&*self.keyring, look.tenant).await?;
        let read = CrossAccountRead {
            endpoint: look.endpoint.to_owned(),
            account_id: look.account,
            caller_tenant: caller.tenant,
            request_id: caller.origin.request,
        };
        self.record(RecordAccess {
            access: Access::Read(read),
            tenant,
            origin: caller.origin,
        })
        .await
    }

    /// Keeps that the caller was refused to look at data that is not theirs. What they repeat is
    /// counted; see [`super::refusals`]. Whose data it is, is not asked: it may not exist.
    ///
    /// # Errors
    /// A fault. It is never refused.
    pub async fn record_refusal(
        &self,
        caller: Caller,
        look: Look,
        code: &str,
    ) -> Result<(), CommandError<Infallible>> {
        let refused = AccessRefused {
            endpoint: look.endpoint.to_owned(),
            account_id: look.account,
            caller_tenant: caller.tenant,
            request_id: caller.origin.request,
            code: code.to_owned(),
            calls: 1,
            until: caller.origin.time,
            more_account_ids: Vec::new(),
        };
        if self.refusals.note(&caller.origin, &refused) == Noted::Again {
            return Ok(());
        }
        self.record(RecordAccess {
            access: Access::Refused(refused),
            tenant: None,
            origin: caller.origin,
        })
        .await
    }

    /// Brings counted refusals into the log, those whose minute is over, until `stop` turns true;
    /// then all.
    pub(crate) async fn keep_refusals(self, mut stop: watch::Receiver<bool>) {
        loop {
            let stopping = timeout(SWEEP, stop.wait_for(|stop| *stop)).await.is_ok();
            let over = (!stopping).then(clock::now);
            for access in self.refusals.close(over) {
                let request = access.origin.request;
                match self.record(access).await {
                    Ok(()) => self.refusals.recorded(request),
                    Err(fault) => {
                        // Tried again at the next sweep, if there is one.
                        tracing::error!(event = "audit.not_recorded", error = chain(&fault));
                        break;
                    }
                }
            }
            if stopping {
                return;
            }
        }
    }

    async fn record(&self, access: RecordAccess) -> Result<(), CommandError<Infallible>> {
        let stream = access.stream();
        self.accesses.dispatch(stream, access).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use eventstore::{EventStore as _, memory::MemoryStore};
    use schema::{Event, Position};
    use uuid::Uuid;

    use super::*;
    use crate::fixture::{Actors, Keys};

    const LOOK: Look = Look {
        endpoint: "GET /v1/billing/usage",
        tenant: None,
        account: Some(AccountId(Uuid::from_u128(4))),
    };

    fn caller(request: u128) -> Caller {
        Caller {
            origin: Origin::of_request(request).at(clock::now()),
            tenant: Pseudonym(Uuid::from_u128(8)),
        }
    }

    #[tokio::test]
    async fn a_look_is_kept_and_a_refusal_that_is_repeated_is_kept_when_it_is_over() {
        let store = Arc::new(MemoryStore::default());
        let actors = Actors::on(Arc::clone(&store) as _).await;
        let commands = Commands::new(Arc::new(Keys));
        commands
            .open(&actors.log, 10, actors.root())
            .await
            .expect("starts");
        commands.record_read(caller(1), LOOK).await.expect("kept");
        for request in 2..=9 {
            let kept = commands.record_refusal(caller(request), LOOK, "not_found");
            kept.await.expect("kept");
        }
        assert_eq!(
            store.head().await.expect("head"),
            Position(2),
            "a read and a refusal"
        );
        let (stop, stopping) = watch::channel(true);
        commands.clone().keep_refusals(stopping).await;
        drop(stop);
        let stretch = store
            .read_after(Position::BEGINNING, i64::MAX)
            .await
            .expect("reads");
        let [_, Ok(first), Ok(again)] = &stretch.events[..] else {
            panic!("{:?}", stretch.events);
        };
        assert_eq!(first.stream, again.stream);
        let calls = [first, again].map(|event| match &event.data.event {
            Event::AccessRefused(refused) => refused.calls,
            other => panic!("{other:?}"),
        });
        assert_eq!(calls, [1, 7], "eight refused calls");
        actors.stop().await;
    }
}
