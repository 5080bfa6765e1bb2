//! One tenant never sees another's rows, whoever asks, and a role that could is not worked with.

use std::collections::BTreeMap;

use tokio_postgres::Client;
use uuid::Uuid;

use crate::support::{ACCOUNTS, Base, base, run, tollbook, unique};

/// Tables of ours with a column `tenant_id`.
async fn tables(admin: &Client) -> Vec<(String, bool, bool, i64)> {
    let rows = admin
        .query(include_str!("isolation/tenant_tables.sql"), &[])
        .await
        .expect("reads");
    rows.iter()
        .map(|row| (row.get(0), row.get(1), row.get(2), row.get(3)))
        .collect()
}

/// One row of a tenant in every table that has tenants; a new table must be added here.
async fn seed(admin: &Client, table: &str, tenant: Uuid, position: i64) {
    let sql = match table {
        "dlr.delivery_receipts" => include_str!("isolation/receipt_row.sql"),
        "billing.billing_events" => include_str!("isolation/charge_row.sql"),
        "billing.usage_summaries" => include_str!("isolation/usage_row.sql"),
        "billing.usage_days" => include_str!("isolation/usage_day_row.sql"),
        "billing.pricing_tables" => include_str!("isolation/price_row.sql"),
        "billing.accounts" => include_str!("isolation/account_row.sql"),
        "billing.held_charges" => include_str!("isolation/held_row.sql"),
        other => panic!("give {other} a row here"),
    };
    let seeded = admin.execute(sql, &[&position, &unique(), &tenant]).await;
    assert_eq!(seeded.expect("a superuser may"), 1);
}

#[test]
fn every_table_with_a_tenant_has_forced_row_level_security_and_policies() {
    run(async {
        let tables = tables(&base().await.admin().await).await;
        assert!(
            tables
                .iter()
                .any(|table| table.0 == "dlr.delivery_receipts"),
            "the catalog is not read right: {tables:?}"
        );
        for (table, enabled, forced, policies) in tables {
            assert!(enabled, "{table} has no row-level security");
            assert!(forced, "{table} does not force it on its owner");
            assert!(policies > 0, "{table} has no policy");
        }
    });
}

/// Which tenants a reader with nothing but SELECT sees.
async fn seen(reader: &mut Client, table: &str, setting: Option<&str>) -> Vec<Uuid> {
    let transaction = reader.transaction().await.expect("begins");
    transaction
        .batch_execute("set local role a_reader")
        .await
        .expect("becomes the reader");
    if let Some(setting) = setting {
        let sql = "select set_config('app.tenant_id', $1, true)";
        transaction.query(sql, &[&setting]).await.expect("set");
    }
    let sql = format!("select tenant_id from {table} order by tenant_id");
    let rows = transaction.query(&sql, &[]).await.expect("reads");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn let_a_reader_in(admin: &Client) {
    let sql = include_str!("isolation/a_reader.sql");
    admin.batch_execute(sql).await.expect("a superuser may");
}

#[test]
fn a_reader_sees_no_tenant_unless_it_says_which_and_then_only_that_one() {
    run(async {
        let base = base().await;
        let (admin, mut reader) = (base.admin().await, base.admin().await);
        let_a_reader_in(&admin).await;
        let (one, other) = (unique(), unique());
        for (table, ..) in tables(&admin).await {
            for (position, tenant) in [(1, one), (2, other), (3, one)] {
                seed(&admin, &table, tenant, position).await;
            }
            let none: [Uuid; 0] = [];
            assert_eq!(seen(&mut reader, &table, None).await, none, "{table}");
            assert_eq!(seen(&mut reader, &table, Some("")).await, none, "{table}");
            let (own, foreign, nobody) = (one.to_string(), other.to_string(), unique());
            assert_eq!(seen(&mut reader, &table, Some(&own)).await, [one, one]);
            assert_eq!(seen(&mut reader, &table, Some(&foreign)).await, [other]);
            let nobody = nobody.to_string();
            assert_eq!(seen(&mut reader, &table, Some(&nobody)).await, none);
            // What one transaction set is gone in the next.
            assert_eq!(seen(&mut reader, &table, None).await, none, "{table}");
        }
    });
}

#[test]
fn the_owner_itself_is_under_the_policies() {
    run(async {
        let base = base().await;
        let admin = base.admin().await;
        for (table, ..) in tables(&admin).await {
            seed(&admin, &table, unique(), 1).await;
            admin
                .batch_execute("set role tollbook_owner")
                .await
                .expect("becomes the owner");
            let sql = format!("select count(*) from {table}");
            let row = admin.query_one(&sql, &[]).await.expect("it owns it");
            assert_eq!(row.get::<_, i64>(0), 0, "{table}");
            admin.batch_execute("reset role").await.expect("itself");
        }
    });
}

/// How `tollbook dlr` ends as `role`; there is no NATS, so it always ends.
async fn started_as(base: Base, role: &str, key: &str) -> (Option<i32>, String) {
    let variables = BTreeMap::from([
        ("DATABASE_URL", base.url(role)),
        ("MASTER_KEY_FILE", key.to_owned()),
        ("NATS_URL", "nats://127.0.0.1:9".to_owned()),
        ("PROBE_ADDRESS", "127.0.0.1".to_owned()),
        ("PROBE_PORT", "0".to_owned()),
    ]);
    let ended = tollbook(&["dlr"], &variables).await;
    (ended.code, ended.err)
}

#[test]
fn the_service_refuses_to_work_as_a_role_that_could_go_around_the_protection() {
    run(async {
        let base = base().await;
        let admin = base.admin().await;
        let sql = "create role a_bypasser login bypassrls in role dlr_svc";
        admin.batch_execute(sql).await.expect("made");
        base.postgres
            .admit(&["a_bypasser"])
            .await
            .expect("admitted");
        let folder = tempfile::tempdir().expect("a folder");
        let key = folder.path().join("key");
        std::fs::write(&key, crate::support::MASTER_KEY).expect("written");
        let key = key.display().to_string();
        for (role, power) in [
            ("postgres", "is a superuser"),
            ("a_bypasser", "may bypass row-level security"),
            ("tollbook_admin", "owns "),
        ] {
            let (code, said) = started_as(base, role, &key).await;
            assert_eq!(code, Some(1), "{role}: {said}");
            let named = format!("database role {role} {power}");
            assert!(said.contains(&named), "{role}: {said}");
        }
        // The modest role gets past all that, as far as the NATS that is not there.
        let (code, said) = started_as(base, ACCOUNTS[0], &key).await;
        assert_eq!(code, Some(1));
        assert!(said.contains("NATS_URL"), "{said}");
        admin
            .batch_execute("drop role a_bypasser")
            .await
            .expect("gone");
    });
}
