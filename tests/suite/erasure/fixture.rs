//! Both services, a tenant who will be erased and one who stays, and the words for what happens to
//! them.

use std::path::PathBuf;

use async_nats::jetstream;
use bytes::Bytes;
use serde_json::{Value, json};
use tests::world::{Fault, Rest, Service, WorldOptions};
use tokio::sync::SemaphorePermit;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::{
    charges::fixture::Customer,
    fixture::{OwnWorld, eventually, place, unique},
    receipts::fixture::{Desk, Receipt, Sms, receipt, sms},
};

/// A reason that names somebody, as people write them.
pub(super) const REASON: &str = "Ada Quillon asked for it";

/// Both services, and connections as everybody around them.
pub(super) struct Stage {
    pub(super) desk: Desk,
    pub(super) billing: Service,
    pub(super) rest: Rest,
    identity: jetstream::Context,
    _permit: SemaphorePermit<'static>,
}

/// One who has an account, prices and messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tenant(pub(super) Customer);

impl Tenant {
    /// One that nobody knows.
    pub(super) fn new() -> Self {
        Self(Customer::new())
    }

    pub(super) fn id(self) -> Uuid {
        self.0.tenant.0
    }

    /// A message of theirs that is nowhere yet.
    pub(super) fn sms(self) -> Sms {
        Sms {
            tenant: self.0.tenant.0,
            account: self.0.account.0,
            operator: self.0.operator.0,
            ..sms()
        }
    }
}

/// Its receipt, with everything personal that one can hold.
pub(super) fn told_of(sms: &Sms) -> Receipt {
    receipt(sms)
        .with("sourceAddr", json!("+99900000000001"))
        .with("rawPayload", json!({ "text": "Quillon, call me" }))
}

impl Stage {
    async fn new(OwnWorld { world, permit }: OwnWorld) -> Self {
        let desk = Desk::in_world(world).await;
        let billing = desk.world.billing(&[("LOG_LEVEL", "debug")]).await;
        let billing = billing.expect("a service");
        Self {
            rest: desk.world.rest(&billing).await.expect("rest"),
            identity: desk.world.jetstream("identity").await.expect("nats"),
            billing,
            desk,
            _permit: permit,
        }
    }

    pub(super) fn database(&self) -> &Client {
        &self.desk.database
    }

    /// Registers the tenant's account, with a name and an address.
    pub(super) async fn register(&self, tenant: Tenant) {
        let account = tenant.0.registration();
        let admin = self.rest.as_billing_admin();
        let answer = admin.register(tenant.0.account, &account).await;
        answer.expect("an answer").made().expect("registered");
    }

    /// The same, and opens a price for all and one of the tenant's own.
    pub(super) async fn agree(&self, tenant: Tenant) {
        self.register(tenant).await;
        let admin = self.rest.as_billing_admin();
        let mut own = tenant.0.price(7_000);
        own.tenant = Some(tenant.0.tenant);
        for price in [tenant.0.price(5_000), own] {
            let answer = admin.open_price(&price).await;
            answer.expect("an answer").made().expect("opened");
        }
    }

    /// A message of the tenant's, handed in and settled; charged, if it can be.
    pub(super) async fn settled(&self, tenant: Tenant) -> Sms {
        let sms = tenant.sms();
        self.desk.enqueue(&sms).await;
        self.desk.receives(&told_of(&sms)).await;
        self.charged(&sms).await;
        sms
    }

    /// Waits until the message is charged; says whose it is shown to be.
    pub(super) async fn charged(&self, sms: &Sms) -> Uuid {
        let sql = "select tenant_id from billing.billing_events where message_id = $1";
        eventually("the message is charged", async || {
            let row = self.database().query_opt(sql, &[&sms.id]).await;
            row.expect("reads").map(|row| row.get(0))
        })
        .await
    }

    /// Says that the tenant is erased, in a message of this id, and waits until that is recorded or
    /// known.
    pub(super) async fn announce(&self, tenant: Tenant, announcement: Uuid) {
        let before = self.answered().await;
        let message = json!({
            "eventId": announcement,
            "tenantId": tenant.id(),
            "erasedAt": eventstore::clock::now(),
            "reason": REASON,
        });
        self.announce_bytes(message.to_string().into()).await;
        eventually("the announcement is answered", async || {
            (self.answered().await > before).then_some(())
        })
        .await;
    }

    pub(super) async fn announce_bytes(&self, bytes: Bytes) {
        let ack = self.identity.publish("tenant.erased", bytes).await;
        ack.expect("sent").await.expect("stored");
    }

    /// How many announcements were answered for good.
    pub(super) async fn answered(&self) -> i64 {
        let mut answered = 0;
        for result in ["requested", "duplicate", "invalid"] {
            let metric = format!("billing_erasures_total{{result=\"{result}\"}}");
            answered += self.billing.metric(&metric).await.unwrap_or_default();
        }
        answered
    }

    /// Waits until the table that the job reads shows so many tenants that are to be erased.
    pub(super) async fn pending(&self, count: i64) {
        let sql = "select count(*) from billing.erasures where erased_at is null";
        eventually("they are to be erased", async || {
            let row = self.database().query_one(sql, &[]).await.expect("reads");
            (row.get::<_, i64>(0) == count).then_some(())
        })
        .await;
    }

    /// Announces that the tenant is erased, and lets the job do it.
    pub(super) async fn erase(&self, tenant: Tenant) {
        self.announce(tenant, unique()).await;
        self.pending(1).await;
        let said = self.run_job().await.expect("erased");
        assert!(said.contains("is erased: its key is destroyed"), "{said}");
    }

    /// Waits until both services have forgotten the key that they used; it takes them two seconds.
    pub(super) async fn forgotten(&self) {
        for service in [&self.desk.service, &self.billing] {
            eventually("the key is forgotten", async || {
                service
                    .log()
                    .contains("keyring.key_forgotten")
                    .then_some(())
            })
            .await;
        }
    }

    /// `tollbook erasure run`.
    pub(super) async fn run_job(&self) -> Result<String, Fault> {
        let variables = self.desk.world.variables("dlr-processor", "tollbook_admin");
        let words = ["erasure", "run"];
        self.desk.world.command(&words, &variables).await
    }

    /// `tollbook erasure verify`, over all that both services ever logged.
    pub(super) async fn verify(&self, tenant: Tenant) -> Result<String, Fault> {
        let mut words = vec!["erasure".to_owned(), "verify".to_owned()];
        words.push(format!("--tenant-id={}", tenant.id()));
        for (name, service) in [
            ("dlr.log", &self.desk.service),
            ("billing.log", &self.billing),
        ] {
            let path: PathBuf = self.desk.world.path(name);
            std::fs::write(&path, service.log()).expect("written");
            words.push(format!("--log-file={}", path.display()));
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let variables = self.desk.world.variables("dlr-processor", "tollbook_admin");
        self.desk.world.command(&words, &variables).await
    }

    /// What the log calls the tenant, as long as that is known.
    pub(super) async fn pseudonym(&self, tenant: Tenant) -> Option<Uuid> {
        let sql = "select pseudonym from eventlog.tenant where tenant_id = $1";
        let row = self.database().query_opt(sql, &[&tenant.id()]).await;
        row.expect("reads").map(|row| row.get(0))
    }

    /// Every event up to a position, to the byte.
    pub(super) async fn log_through(&self, position: i64) -> Vec<String> {
        let sql = include_str!("fixture/log.sql");
        let rows = self.database().query(sql, &[&position]).await;
        rows.expect("reads").iter().map(|row| row.get(0)).collect()
    }

    /// Every row of every projection that names this tenant, or this account.
    pub(super) async fn shown_of(&self, tenant: Uuid, account: Uuid) -> Vec<String> {
        let sql = include_str!("fixture/shown.sql");
        let rows = self.database().query(sql, &[&tenant, &account]).await;
        rows.expect("reads").iter().map(|row| row.get(0)).collect()
    }

    /// Every message on `stream` about this message.
    pub(super) async fn told(&self, stream: &str, sms: &Sms) -> Vec<Value> {
        let all = crate::fixture::published(&self.desk.observer, stream).await;
        let about = all.into_iter().map(|message| message.body);
        about
            .filter(|body| body["messageId"] == json!(sms.id))
            .collect()
    }
}

/// A stage in a world of its own.
pub(super) async fn stage() -> Box<Stage> {
    let world = place(WorldOptions::default()).await;
    Box::new(Box::pin(Stage::new(world)).await)
}
