//! No session of ours hangs, holds a lock or keeps a transaction open without end.

use std::collections::BTreeMap;

use eventstore::migrate::run as migrate;
use tests::stack::{PgOptions, PgVersion, Postgres};
use tokio_postgres::Client;

use crate::fixture::{ACCOUNTS, Base, base_in, postgres, run};

/// What a session of each account has: statement, transaction (from 17 on).
const DUE: [(&str, &str, &str); 4] = [
    ("dlr_svc", "30s", "2min"),
    ("billing_svc", "30s", "2min"),
    ("auditor", "15min", "30min"),
    ("tollbook_admin", "2h", "4h"),
];

/// The limits of a session.
async fn limits(client: &Client) -> BTreeMap<String, String> {
    let sql = "select s.name, current_setting(s.name, true) from unnest(array[
        'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout',
        'transaction_timeout']) as s (name)
        where current_setting(s.name, true) is not null";
    let rows = client.query(sql, &[]).await.expect("reads");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[test]
fn every_account_has_limits_to_statements_locks_and_transactions() {
    run(async {
        for version in [PgVersion::V18, PgVersion::V15] {
            if !version.available() {
                eprintln!("skipped: apt-get install postgresql-15 lets this run");
                continue;
            }
            let base = base_in(postgres(version).await).await;
            assert_eq!(DUE.map(|(role, ..)| role), ACCOUNTS, "each account");
            for (role, statement, transaction) in DUE {
                let limits = limits(&base.client(role).await).await;
                let told = |name: &str| limits.get(name).map(String::as_str);
                assert_eq!(told("statement_timeout"), Some(statement), "{role}");
                assert_eq!(told("lock_timeout"), Some("10s"), "{role}");
                let idle = told("idle_in_transaction_session_timeout");
                assert_eq!(idle, Some("1min"), "{role}");
                let whole = (version == PgVersion::V18).then_some(transaction);
                assert_eq!(told("transaction_timeout"), whole, "{role}");
            }
        }
    });
}

#[test]
fn a_role_that_was_there_before_gets_the_limits_it_lacks_and_keeps_those_it_was_given() {
    run(async {
        let options = PgOptions {
            shared_buffers_mib: 32,
            settings: Vec::new(),
        };
        // Roles are of the whole server, so this one is not shared.
        let server = Postgres::start(PgVersion::V18, options).await;
        let server: &'static Postgres = Box::leak(Box::new(server.expect("postgres")));
        let name = "limits";
        server.create_database(name, None).await.expect("made");
        let base = Base {
            postgres: server,
            name,
        };
        let mut admin = base.admin().await;
        let before = "create role auditor login; alter role auditor set lock_timeout = '3s'";
        admin.batch_execute(before).await.expect("a superuser may");
        let done = migrate(&mut admin, projections::migrate::schemas()).await;
        done.expect("migrates");
        server.admit(&["auditor"]).await.expect("admitted");
        let limits = limits(&base.client("auditor").await).await;
        assert_eq!(limits["lock_timeout"], "3s", "it was chosen");
        assert_eq!(limits["statement_timeout"], "15min");
        assert_eq!(limits["transaction_timeout"], "30min");
        server.stop().await.expect("stops");
    });
}
