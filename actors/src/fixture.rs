//! What unit tests share: keys of everybody, and actors on a log in memory.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use eventstore::{
    EventStore, Feed, LogId,
    keyring::{Keyring, KeyringError, KnownTenant, Locked},
    seal::DataKey,
};
use prometheus_client::metrics::histogram::Histogram;
use ractor::ActorRef;
use schema::{Pseudonym, TenantId};
use time::Date;

use crate::runtime::{log_handle::LogHandle, tree::Tree};

/// A keyring in which every tenant's pseudonym is its id, and all keys are the same.
pub(crate) struct Keys;

#[async_trait]
impl Keyring for Keys {
    async fn of_tenants(
        &self,
        tenants: &[TenantId],
    ) -> Result<HashMap<TenantId, KnownTenant>, KeyringError> {
        let key = |tenant: &TenantId| {
            let pseudonym = Pseudonym(tenant.0);
            let key = Ok(Some(DataKey::new(1, &[1; 32])));
            (*tenant, KnownTenant { pseudonym, key })
        };
        Ok(tenants.iter().map(key).collect())
    }

    async fn known(
        &self,
        tenants: &[TenantId],
    ) -> Result<HashMap<TenantId, Pseudonym>, KeyringError> {
        Ok(tenants
            .iter()
            .map(|tenant| (*tenant, Pseudonym(tenant.0)))
            .collect())
    }

    async fn registered(&self, tenant: TenantId) -> Result<KnownTenant, KeyringError> {
        self.of_tenant(tenant).await
    }

    async fn erased_before(&self, _: TenantId) -> Result<Vec<Pseudonym>, KeyringError> {
        Ok(Vec::new())
    }

    async fn of_day(&self, _: Date) -> Result<DataKey, KeyringError> {
        Err(KeyringError::Absent)
    }

    async fn by_id(
        &self,
        keys: &[i64],
    ) -> Result<HashMap<i64, Result<DataKey, Locked>>, KeyringError> {
        let key = |key: &i64| (*key, Ok(DataKey::new(*key, &[1; 32])));
        Ok(keys.iter().map(key).collect())
    }

    async fn tenants_of(
        &self,
        pseudonyms: &[Pseudonym],
    ) -> Result<HashMap<Pseudonym, TenantId>, KeyringError> {
        let tenant = |pseudonym: &Pseudonym| (*pseudonym, TenantId(pseudonym.0));
        Ok(pseudonyms.iter().map(tenant).collect())
    }
}

/// A tree of actors on a log.
pub(crate) struct Actors {
    pub(crate) log: LogHandle,
    tree: Tree,
}

impl Actors {
    /// A tree that is nothing but its root and the way into `store`.
    pub(crate) async fn on(store: Arc<dyn EventStore>) -> Self {
        let feed = Feed::new(Arc::clone(&store));
        let tree = Tree::start(&feed).await.expect("starts");
        let sizes = Histogram::new([1.0]);
        let log = tree.start_appender(&store, LogId::DEFAULT, &feed, sizes);
        Self {
            log: log.await.expect("starts"),
            tree,
        }
    }

    /// What further actors are started below.
    pub(crate) const fn root(&self) -> &ActorRef<()> {
        self.tree.root()
    }

    /// Stops all of them.
    pub(crate) async fn stop(self) {
        self.tree.stop().await;
    }
}
