//! One tenant never sees another's rows, whoever asks, and a role that could is not worked with.

use std::{collections::BTreeMap, path::Path};

use tokio_postgres::{Client, error::SqlState};
use uuid::Uuid;

use crate::fixture::{ACCOUNTS, Base, base, run, tollbook, unique, waits_for};

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
        "eventlog.tenant" => include_str!("isolation/tenant_row.sql"),
        "eventlog.erased_tenant" => include_str!("isolation/erased_row.sql"),
        "dlr.delivery_receipts" => include_str!("isolation/receipt_row.sql"),
        "billing.billing_events" => include_str!("isolation/charge_row.sql"),
        "billing.cost_assessments" => include_str!("isolation/assessment_row.sql"),
        "billing.usage_summaries" => include_str!("isolation/usage_row.sql"),
        "billing.usage_days" => include_str!("isolation/usage_day_row.sql"),
        "billing.pricing_tables" => include_str!("isolation/price_row.sql"),
        "billing.accounts" => include_str!("isolation/account_row.sql"),
        "billing.account_versions" => include_str!("isolation/account_version_row.sql"),
        "billing.access_log" => include_str!("isolation/access_row.sql"),
        "billing.adjustments" => include_str!("isolation/adjustment_row.sql"),
        "billing.held_charges" => include_str!("isolation/held_row.sql"),
        "billing.charge_conflicts" => include_str!("isolation/conflict_row.sql"),
        other => panic!("give {other} a row here"),
    };
    let seeded = admin.execute(sql, &[&position, &unique(), &tenant]).await;
    assert_eq!(seeded.expect("a superuser may"), 1);
}

#[test]
fn every_table_with_a_tenant_has_forced_row_level_security_and_policies() {
    run(async {
        let admin = base().await.admin().await;
        let tables = tables(&admin).await;
        for known in [
            "eventlog.tenant",
            "dlr.delivery_receipts",
            "billing.billing_events",
        ] {
            let seen = tables.iter().any(|table| table.0 == known);
            assert!(seen, "the catalog is not read right: {tables:?}");
        }
        let sql = include_str!("isolation/tenant_views.sql");
        let views = admin.query(sql, &[]).await.expect("reads");
        let views: Vec<String> = views.iter().map(|row| row.get(0)).collect();
        assert_eq!(
            views,
            [] as [&str; 0],
            "they show more than the asker may see"
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
    let sql = format!("select distinct tenant_id from {table}");
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
            assert_eq!(seen(&mut reader, &table, Some(&own)).await, [one]);
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
            if table == "eventlog.tenant" || table == "eventlog.erased_tenant" {
                // The log's own functions run as the owner, and enrol tenants of any name unless
                // they were erased.
                continue;
            }
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

/// What a role sees of a table of tenants without saying for whom it works.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Sees {
    Nothing,
    Everything,
    /// It is not even let in.
    Refused,
}

#[test]
fn each_account_sees_what_is_its_own_and_removes_nothing() {
    use Sees::{Everything, Nothing, Refused};
    run(async {
        let base = base().await;
        let admin = base.admin().await;
        for (table, ..) in tables(&admin).await {
            seed(&admin, &table, unique(), 1).await;
            let (schema, _) = table.split_once('.').expect("a schema");
            // dlr_svc, billing_svc, auditor, tollbook_admin; CONTRACTS 6.
            let due = match schema {
                "eventlog" => [Everything; 4],
                // Billing is let in for one carrier at a time (ADR 0049).
                "dlr" => [Everything, Nothing, Everything, Everything],
                "billing" => [Refused, Nothing, Everything, Everything],
                other => panic!("say who sees {other}"),
            };
            for (role, due) in ACCOUNTS.into_iter().zip(due) {
                let client = base.client(role).await;
                let count = format!("select count(*) from {table}");
                let sees = match client.query_one(&count, &[]).await {
                    Ok(row) if row.get::<_, i64>(0) == 0 => Nothing,
                    Ok(_) => Everything,
                    Err(error) => {
                        assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
                        Refused
                    }
                };
                assert_eq!(sees, due, "{role} on {table}");
                if role == "tollbook_admin" {
                    continue;
                }
                for harm in [
                    format!("delete from {table}"),
                    format!("truncate {table}"),
                    format!("update {table} set tenant_id = gen_random_uuid()"),
                    format!("alter table {table} disable row level security"),
                    format!("create policy mine on {table} using (true)"),
                ] {
                    let refused = client.execute(&harm, &[]).await.expect_err("refused");
                    let code = refused.code();
                    assert_eq!(
                        code,
                        Some(&SqlState::INSUFFICIENT_PRIVILEGE),
                        "{role}: {harm}"
                    );
                }
            }
        }
    });
}

/// What a service as `role` is started with. There is no NATS.
fn environment(base: Base, role: &str, folder: &Path) -> BTreeMap<&'static str, String> {
    let file = |name: &str| folder.join(name).display().to_string();
    BTreeMap::from([
        ("DATABASE_URL", base.url(role)),
        ("MASTER_KEY_FILE", file("key")),
        ("NATS_URL", "nats://127.0.0.1:9".to_owned()),
        ("PROBE_ADDRESS", "127.0.0.1".to_owned()),
        ("PROBE_PORT", "0".to_owned()),
        ("BILLING_ADDRESS", "127.0.0.1".to_owned()),
        ("BILLING_PORT", "0".to_owned()),
        ("JWT_ISSUER", "https://identity.example".to_owned()),
        ("JWT_AUDIENCE", "billing".to_owned()),
        ("JWT_JWKS_FILE", file("keys/jwks.json")),
    ])
}

/// How a service ends as `role`.
async fn started_as(base: Base, service: &str, role: &str, folder: &Path) -> (Option<i32>, String) {
    let ended = tollbook(&[service], &environment(base, role, folder)).await;
    (ended.code, ended.err)
}

/// Roles that are the service's and more, and what is told of each.
const TOO_POWERFUL: [(&str, &str, &str); 5] = [
    (
        "bypasser",
        "bypassrls in role {own}",
        "may bypass row-level security",
    ),
    ("maker", "createrole in role {own}", "may create roles"),
    ("reader", "in role {own}, auditor", "is a member of auditor"),
    ("both", "in role {own}, {other}", "is a member of {other}"),
    (
        "admin",
        "in role {own}, tollbook_admin",
        "is a member of tollbook_admin",
    ),
];

#[test]
fn a_service_refuses_to_work_as_a_role_that_could_go_around_the_protection() {
    run(async {
        let base = base().await;
        let admin = base.admin().await;
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("key"), crate::fixture::MASTER_KEY).expect("written");
        let keys = folder.path().join("keys").display().to_string();
        let made = tollbook(&["dev", "keys", "--write", &keys], &BTreeMap::new()).await;
        assert_eq!(made.code, Some(0), "{made:?}");
        for (service, own, other) in [
            ("dlr", ACCOUNTS[0], ACCOUNTS[1]),
            ("billing", ACCOUNTS[1], ACCOUNTS[0]),
        ] {
            let filled = |text: &str| text.replace("{own}", own).replace("{other}", other);
            let mut roles = vec![
                ("postgres".to_owned(), "is a superuser".to_owned()),
                ("tollbook_admin".to_owned(), "has no ".to_owned()),
            ];
            for (name, attributes, power) in TOO_POWERFUL {
                let role = format!("a_{name}_of_{service}");
                let sql = format!("create role {role} login {}", filled(attributes));
                admin.batch_execute(&sql).await.expect("made");
                base.postgres.admit(&[&role]).await.expect("admitted");
                roles.push((role, filled(power)));
            }
            for (role, power) in &roles {
                let (code, said) = started_as(base, service, role, folder.path()).await;
                assert_eq!(code, Some(1), "{role}: {said}");
                let named = format!("role {role} {power}");
                assert!(said.contains(&named), "{role}: {said}");
            }
            // The modest role gets past all that, as far as the NATS that is not there.
            waits_for("nats", &[service], &environment(base, own, folder.path())).await;
            for (role, _) in &roles[2..] {
                let sql = format!("drop role {role}");
                admin.batch_execute(&sql).await.expect("gone");
            }
        }
    });
}
