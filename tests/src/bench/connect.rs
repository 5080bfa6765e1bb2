//! How what runs in the bench's own process reaches the servers: as a service would.

use std::{sync::Arc, time::Duration};

use actors::runtime::intake::Source;
use eventstore::{
    Secret,
    keyring::{Keyring, MasterKeyFile},
    postgres::{Database, DatabaseOptions, PgKeyring},
};

use crate::world::{Fault, World};

/// Connections of a service, as `DB_POOL_MAX` has it.
const POOL: usize = 10;

/// A pool of connections as `role`, as large as a service's.
pub(super) fn database(world: &World, role: &str) -> Result<Database, Fault> {
    Ok(Database::new(DatabaseOptions {
        url: Secret::new(world.url(role)),
        url_file: None,
        ca_file: world.postgres_ca(),
        pool_max: POOL,
        deadline: Duration::from_secs(15),
        application: "bench".to_owned(),
    })?)
}

/// The world's keyring, through this pool.
pub(super) fn keyring(world: &World, database: &Database) -> Result<Arc<dyn Keyring>, Fault> {
    let masters = MasterKeyFile::new(world.path("master.key"))?;
    Ok(Arc::new(PgKeyring::new(database.clone(), masters)))
}

/// Where `tollbook dlr` pulls receipts, as itself.
pub(super) async fn receipts(world: &World) -> Result<Source, Fault> {
    source(world, "dlr-processor", "dlr-processor", "SMS_DLR").await
}

/// Where `tollbook billing` pulls settlements, as itself.
pub(super) async fn settlements(world: &World) -> Result<Source, Fault> {
    let (user, consumer) = ("billing-service", "billing-consumer");
    source(world, user, consumer, "BILLING_EVENTS").await
}

async fn source(world: &World, user: &str, consumer: &str, stream: &str) -> Result<Source, Fault> {
    let jetstream = world.jetstream(user).await?;
    let consumer = jetstream.get_consumer_from_stream(consumer, stream);
    Ok(Source {
        consumer: consumer.await?,
        jetstream,
    })
}
