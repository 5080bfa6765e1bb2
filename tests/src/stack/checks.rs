//! What the embedded stack promises, tried on real servers.

use std::{path::Path, time::Duration};

use async_nats::jetstream::{
    self,
    consumer::{PullConsumer, pull},
    stream,
};
use futures::StreamExt;
use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::NoTls;

use super::{
    Nats, NatsOptions, PgOptions, PgVersion, Postgres, S3, Vault,
    leash::{Leash, Signal},
};

const SOON: Duration = Duration::from_secs(10);

/// A `JetStream` context as one of the users.
async fn context(nats: &Nats, user: &str) -> jetstream::Context {
    let connected = nats.connect_options(user).connect(nats.url(user)).await;
    jetstream::new(connected.expect("the user may connect"))
}

/// The two streams and the consumer that a receipt's way needs.
async fn provision(nats: &Nats) {
    let admin = context(nats, "tollbook-admin").await;
    for (name, subject) in [
        ("SMS_DLR", "sms.dlr.inbound"),
        ("BILLING_EVENTS", "billing.events"),
    ] {
        let subjects = vec![subject.to_owned()];
        let config = stream::Config {
            name: name.into(),
            subjects,
            ..Default::default()
        };
        admin
            .create_stream(config)
            .await
            .expect("the admin may make streams");
    }
    let stream = admin
        .get_stream("SMS_DLR")
        .await
        .expect("the admin may look at streams");
    let config = pull::Config {
        durable_name: Some("dlr-processor".into()),
        filter_subject: "sms.dlr.inbound".into(),
        ..Default::default()
    };
    stream
        .create_consumer(config)
        .await
        .expect("the admin may make consumers");
}

/// Publishes a receipt, and takes it in as the service does.
async fn a_receipt_goes_through(nats: &Nats) {
    let connector = context(nats, "smpp-connector").await;
    let stored = connector
        .publish("sms.dlr.inbound", "x".into())
        .await
        .expect("published");
    stored
        .await
        .expect("the connector hears the publish acknowledgement");

    let service = context(nats, "dlr-processor").await;
    let consumer: PullConsumer = service
        .get_consumer_from_stream("dlr-processor", "SMS_DLR")
        .await
        .expect("the service may look at its consumer");
    let mut messages = consumer
        .fetch()
        .max_messages(1)
        .messages()
        .await
        .expect("pulled");
    let message = messages
        .next()
        .await
        .expect("one message")
        .expect("a message");
    message.double_ack().await.expect("acknowledged");
    let stored = service
        .publish("billing.events", "y".into())
        .await
        .expect("published");
    stored
        .await
        .expect("the service hears the publish acknowledgement");
}

/// How many receipts the consumer has handed out and not heard of again.
async fn unacknowledged(nats: &Nats) -> usize {
    let service = context(nats, "dlr-processor").await;
    let consumer: PullConsumer = service
        .get_consumer_from_stream("dlr-processor", "SMS_DLR")
        .await
        .expect("the service may look at its consumer");
    consumer.cached_info().num_ack_pending
}

#[tokio::test]
async fn narrow_permissions_suffice_with_passwords_and_survive_a_kill() {
    let options = NatsOptions {
        tls: false,
        sync_interval_always: true,
    };
    let nats = Nats::start(options).await.expect("nats");
    provision(&nats).await;
    a_receipt_goes_through(&nats).await;
    assert_eq!(unacknowledged(&nats).await, 0);
    // The messages are durable now; that they were acknowledged may be forgotten by a kill.
    nats.kill().await.expect("killed");
    assert!(!nats.leash().alive());
    nats.start_again().await.expect("started again");
    a_receipt_goes_through(&nats).await;
    nats.restart().await.expect("restarted");
    a_receipt_goes_through(&nats).await;

    let observer = context(&nats, "observer").await;
    let stream = observer
        .get_stream("SMS_DLR")
        .await
        .expect("the observer may look");
    let ordered = stream
        .create_consumer(pull::OrderedConfig::default())
        .await
        .expect("consumer");
    let messages = ordered.messages().await.expect("messages").take(3);
    let read = timeout(SOON, messages.collect::<Vec<_>>())
        .await
        .expect("three messages");
    assert_eq!(read.len(), 3);
    nats.stop().await.expect("stopped");
}

#[tokio::test]
async fn certificates_make_the_users_and_a_stranger_stays_out() {
    let nats = Nats::start(NatsOptions {
        tls: true,
        ..Default::default()
    })
    .await
    .expect("nats");
    provision(&nats).await;
    a_receipt_goes_through(&nats).await;
    assert_eq!(unacknowledged(&nats).await, 0);

    // The connector may not say what only the service says.
    let connector = context(&nats, "smpp-connector").await;
    let refused = connector
        .publish("billing.events", "z".into())
        .await
        .expect("sent");
    assert!(
        timeout(Duration::from_secs(6), refused.into_future())
            .await
            .is_ok_and(|r| r.is_err())
    );

    let files = nats.client_files("dlr-processor").expect("files");
    let bare = async_nats::ConnectOptions::new()
        .require_tls(true)
        .add_root_certificates(files.ca.clone());
    assert!(
        bare.connect(nats.url("")).await.is_err(),
        "no certificate, no entry"
    );
}

#[tokio::test]
async fn postgres_keeps_what_it_promised_through_an_immediate_stop() {
    for version in [PgVersion::V18, PgVersion::V15] {
        if !version.available() {
            eprintln!("{version:?} is not installed here; skipped");
            continue;
        }
        let pg = Postgres::start(version, PgOptions::default())
            .await
            .expect("postgres");
        pg.create_database("first", None).await.expect("made");
        let client = pg.admin("first").await.expect("connected");
        client
            .batch_execute("CREATE TABLE t (n int); INSERT INTO t VALUES (7)")
            .await
            .expect("t");
        pg.restart_immediate().await.expect("restarted");
        assert!(
            client.simple_query("SELECT 1").await.is_err(),
            "the old connection is gone"
        );
        drop(client);

        pg.create_database("second", Some("first"))
            .await
            .expect("copied");
        let admin = pg.admin("second").await.expect("connected again");
        let row = admin
            .query_one("SELECT n FROM t", &[])
            .await
            .expect("the row");
        assert_eq!(row.get::<_, i32>(0), 7);
        admin
            .batch_execute("CREATE ROLE dlr_svc")
            .await
            .expect("role");
        pg.admit(&["dlr_svc"]).await.expect("admitted");
        let (_client, connection) = tokio_postgres::connect(&pg.url("dlr_svc", "second"), NoTls)
            .await
            .expect("login");
        drop(connection);
        assert!(pg.create_database("Not plain", None).await.is_err());
        assert_eq!(pg.ca_pem().is_some(), version == PgVersion::V15);

        let (folder, pid) = (pg.leash().folder().to_owned(), pg.pid().expect("a pid"));
        pg.stop().await.expect("stopped");
        assert!(!folder.exists() && !process_exists(pid));
    }
}

#[tokio::test]
async fn the_object_store_and_the_vault_start_and_leave_nothing() {
    if !(S3::available() && Vault::available()) {
        eprintln!("not fetched (./dev --all fetch); skipped");
        return;
    }
    let (s3, vault) = tokio::try_join!(S3::start(), Vault::start()).expect("both start");
    let log = std::fs::read_to_string(s3.leash().folder().join("log")).expect("a log");
    assert!(
        log.contains("Derived KEK"),
        "server-side encryption is on: {log}"
    );
    vault.restart_empty().await.expect("restarted");
    let folders = [
        s3.leash().folder().to_owned(),
        vault.leash().folder().to_owned(),
    ];
    let leftovers = std::fs::read_to_string(folders[0].join("leftovers")).expect("a list");
    tokio::try_join!(s3.stop(), vault.stop()).expect("stopped");
    assert!(folders.iter().all(|folder| !folder.exists()));
    assert!(leftovers.lines().all(|path| !Path::new(path).exists()));
}

#[tokio::test]
async fn a_dropped_server_takes_its_folder_along() {
    let pg = Postgres::start(PgVersion::V18, PgOptions::default())
        .await
        .expect("postgres");
    pg.leash().signal(Signal::Stop).await.expect("suspended");
    let (folder, pid) = (pg.leash().folder().to_owned(), pg.pid().expect("a pid"));
    drop(pg);
    let deadline = Instant::now() + SOON;
    while folder.exists() || process_exists(pid) {
        assert!(Instant::now() < deadline, "still there after {SOON:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let leash = Leash::new("false", Signal::Kill).expect("a leash");
    let script = ["-c", "echo out of luck; exit 3"];
    let started = leash
        .start(Path::new("/bin/sh"), &script, SOON, async |_| false)
        .await;
    let text = started.expect_err("it must not start").to_string();
    assert!(text.contains("out of luck"), "{text}");
}

fn process_exists(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}
