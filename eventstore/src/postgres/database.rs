//! The pool of connections: statements and transactions, each with a deadline.
//!
//! Whoever asks is answered before the deadline or hears that it has passed. A connection that
//! stayed silent that long is thrown away and never used again, with those that lie idle beside
//! it: they lead to the same host. How connections are made
//! and renewed, see [`super::renewal`].

use std::{error::Error, future::Future, sync::Arc, time::Duration};

use deadpool_postgres::{
    Client, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Transaction,
};
use futures::future::BoxFuture;
use tokio::time::{error::Elapsed, timeout};
use tokio_postgres::Row;

use super::{
    connector::{Connector, DatabaseOptions, DatabaseOptionsError},
    faults::is_stale_plan,
    renewal::{Connecting, Renewal},
    statement::{Parameters, Statement},
};
use crate::StoreError;

/// How long a connection may be waited for, and how long making one may take.
const WAIT: Duration = Duration::from_secs(10);

/// A pool of connections to one database.
#[derive(Clone)]
pub struct Database {
    pool: Pool,
    deadline: Duration,
    renewal: Arc<Renewal>,
}

impl Database {
    /// A pool that connects when first used.
    ///
    /// # Errors
    /// The options are wrong; nothing has been connected yet.
    pub fn new(options: DatabaseOptions) -> Result<Self, DatabaseOptionsError> {
        let (size, deadline) = (options.pool_max, options.deadline);
        let (renewal, config) = Renewal::new(Connector { options })?;
        let renewal = Arc::new(renewal);
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let connecting = Connecting(Arc::clone(&renewal));
        let manager = Manager::from_connect(config, connecting, recycling);
        let pool = Pool::builder(manager)
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(WAIT))
            .pre_recycle(renewal.refuse_older())
            .build()
            .map_err(DatabaseOptionsError::Pool)?;
        Ok(Self {
            pool,
            deadline,
            renewal,
        })
    }

    /// The rows that `statement` answers with. It is prepared once per connection; if a table was
    /// altered since, it is prepared anew and asked once more.
    ///
    /// # Errors
    /// A fault of Postgres, or the deadline has passed.
    pub async fn query(
        &self,
        statement: Statement,
        parameters: &Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        match self.query_once(statement, parameters).await {
            Err(error) if is_stale_plan(&error) => self.query_once(statement, parameters).await,
            answer => answer,
        }
    }

    /// The one row that `statement` answers with.
    ///
    /// # Errors
    /// A fault of Postgres, the deadline has passed, or there is another number of rows.
    pub async fn query_one(
        &self,
        statement: Statement,
        parameters: &Parameters<'_>,
    ) -> Result<Row, StoreError> {
        statement.one(self.query(statement, parameters).await?)
    }

    /// Waiting for a connection counts: whoever asks waits for that too.
    async fn query_once(
        &self,
        statement: Statement,
        parameters: &Parameters<'_>,
    ) -> Result<Vec<Row>, StoreError> {
        let asking = async {
            let client = self.client(statement.name()).await?;
            let answer = self.in_time(statement.rows(&client, parameters)).await;
            self.settle(statement.name(), client, answer)
        };
        statement.observed(asking).await
    }

    /// Runs `work` in a transaction named `operation` and commits it if it succeeds. The
    /// transaction runs to its end in a task of its own even if the caller goes away; `work` may
    /// run again only if the caller calls again, which helps where
    /// [`is_stale_plan`](super::is_stale_plan).
    ///
    /// # Errors
    /// What `work` says, a fault of Postgres, or the deadline has passed. On any error the
    /// transaction is rolled back, unless its commit went unanswered.
    pub async fn transaction<T, E, F>(&self, operation: &'static str, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Error + Send + 'static,
        F: for<'a> FnOnce(&'a Transaction<'a>) -> BoxFuture<'a, Result<T, E>> + Send + 'static,
    {
        let database = self.clone();
        let failed = move |source| StoreError::Postgres { operation, source };
        let task = tokio::spawn(async move {
            let mut client = database.client(operation).await?;
            let transacting = async {
                let transaction = client.transaction().await.map_err(failed)?;
                let answer = work(&transaction).await?;
                transaction.commit().await.map_err(failed)?;
                Ok(answer)
            };
            let answer = database.in_time(transacting).await;
            database.settle(operation, client, answer)
        });
        match task.await {
            Ok(answer) => answer,
            Err(died) => Err(StoreError::Died {
                operation,
                source: died,
            }
            .into()),
        }
    }

    /// A connection without a deadline, for a job that takes as long as it takes. Never for a
    /// service.
    ///
    /// # Errors
    /// None could be had in ten seconds.
    pub async fn unhurried(&self, operation: &'static str) -> Result<Client, StoreError> {
        self.client(operation).await
    }

    /// A connection. Whoever takes one answers for it with [`Self::in_time`] and
    /// [`Self::settle`].
    pub(super) async fn client(&self, operation: &'static str) -> Result<Client, StoreError> {
        self.renewal.look(&self.pool).await;
        self.pool
            .get()
            .await
            .map_err(|source| StoreError::Pool { operation, source })
    }

    /// Lets `work` go on until the deadline.
    pub(super) async fn in_time<T>(&self, work: impl Future<Output = T>) -> Result<T, Elapsed> {
        timeout(self.deadline, work).await
    }

    /// Gives `client` back to the pool after it answered. A silent one is thrown away, together
    /// with those that are idle; what statements remember of altered tables is forgotten.
    pub(super) fn settle<T, E>(
        &self,
        operation: &'static str,
        client: Client,
        answer: Result<Result<T, E>, Elapsed>,
    ) -> Result<T, E>
    where
        E: From<StoreError> + Error + 'static,
    {
        match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                if is_stale_plan(&error) {
                    self.pool.manager().statement_caches.clear();
                }
                Err(error)
            }
            Err(_) => {
                tracing::warn!(event = "database.silent", operation);
                // Dropping it cuts the connection, and Postgres rolls back what was open on it.
                drop(Client::take(client));
                self.pool.retain(|_, _| false);
                Err(StoreError::Overdue { operation }.into())
            }
        }
    }
}
