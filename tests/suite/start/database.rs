//! A database that is not as it must be: what is missing is named, and the command that makes it.

use std::collections::BTreeMap;

use eventstore::guard::ALTERED;
use tempfile::TempDir;
use tests::world::WorldOptions;

use crate::fixture::{Base, MASTER_KEY, base, eventually, place, run, tollbook, unique, waits_for};

/// Why `tollbook dlr` does not start with this database. It never gets as far as NATS.
async fn refusal(base: Base) -> String {
    refusal_of("dlr", "dlr_svc", base).await
}

async fn refusal_of(service: &str, role: &str, base: Base) -> String {
    let folder = TempDir::new().expect("a folder");
    let variables = environment(role, base, &folder).await;
    let ended = tollbook(&[service], &variables).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    ended.err
}

/// What either service is started with. There is no NATS.
async fn environment(role: &str, base: Base, folder: &TempDir) -> BTreeMap<&'static str, String> {
    let key = folder.path().join("key");
    std::fs::write(&key, MASTER_KEY).expect("written");
    let keys = folder.path().join("keys").display().to_string();
    let made = tollbook(&["dev", "keys", "--write", &keys], &BTreeMap::new()).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    BTreeMap::from([
        ("DATABASE_URL", base.url(role)),
        ("NATS_URL", "nats://127.0.0.1:9".to_owned()),
        ("MASTER_KEY_FILE", key.display().to_string()),
        ("PROBE_ADDRESS", "127.0.0.1".to_owned()),
        ("PROBE_PORT", "0".to_owned()),
        ("LOG_LEVEL", "error".to_owned()),
        ("BILLING_ADDRESS", "127.0.0.1".to_owned()),
        ("BILLING_PORT", "0".to_owned()),
        ("JWT_ISSUER", "https://identity.example".to_owned()),
        ("JWT_AUDIENCE", "billing".to_owned()),
        ("JWT_JWKS_FILE", format!("{keys}/jwks.json")),
    ])
}

#[test]
fn a_database_that_was_never_migrated_is_told_so() {
    run(async {
        let full = base().await;
        let name: &str = format!("empty_{}", unique().simple()).leak();
        let made = full.postgres.create_database(name, None).await;
        made.expect("made");
        let said = refusal(Base { name, ..full }).await;
        assert!(said.contains("schema dlr is missing"), "{said}");
        assert!(said.contains("`tollbook migrate`"), "{said}");
    });
}

#[test]
fn a_missing_table_function_or_grant_is_named_with_the_command_that_makes_it() {
    run(async {
        const OURS: &str = "`tollbook migrate`";
        const THEIRS: &str = "the orchestrator";
        for (harm, told, remedy) in [
            (
                "drop function eventlog.take_checkpoint",
                "function eventlog.take_checkpoint is missing",
                OURS,
            ),
            (
                "drop table dlr.orphan_resolutions cascade",
                "table dlr.orphan_resolutions is missing",
                OURS,
            ),
            (
                "revoke insert on dlr.delivery_receipts from dlr_svc",
                "no INSERT on table dlr.delivery_receipts",
                OURS,
            ),
            (
                "revoke execute on function eventlog.append from dlr_svc",
                "no EXECUTE on function eventlog.append",
                OURS,
            ),
            (
                "revoke usage on schema eventlog from dlr_svc",
                "no USAGE on schema eventlog",
                OURS,
            ),
            (
                "revoke update (status) on orch.sms_messages from dlr_svc",
                "no UPDATE on column orch.sms_messages.status",
                THEIRS,
            ),
            (
                "alter table orch.sms_messages drop column to_msisdn",
                "column orch.sms_messages.to_msisdn is missing",
                THEIRS,
            ),
            ("drop schema orch cascade", "schema orch is missing", THEIRS),
        ] {
            let base = base().await;
            base.alter(harm).await;
            let said = refusal(base).await;
            assert!(said.contains(told), "{harm}: {said}");
            assert!(said.contains(remedy), "{harm}: {said}");
        }
    });
}

#[test]
fn what_billing_misses_is_named_with_the_command_that_makes_it() {
    run(async {
        for (harm, told) in [
            (
                "drop table billing.usage_days",
                "table billing.usage_days is missing",
            ),
            (
                "revoke insert on billing.billing_events from billing_svc",
                "no INSERT on table billing.billing_events",
            ),
            (
                "revoke update (effective_to) on billing.pricing_tables from billing_svc",
                "no UPDATE on column billing.pricing_tables.effective_to",
            ),
            (
                "revoke execute on function eventlog.append from billing_svc",
                "no EXECUTE on function eventlog.append",
            ),
        ] {
            let base = base().await;
            base.alter(harm).await;
            let said = refusal_of("billing", "billing_svc", base).await;
            assert!(said.contains(told), "{harm}: {said}");
            assert!(said.contains("`tollbook migrate`"), "{harm}: {said}");
        }
        // The other service's account is not good enough.
        let said = refusal_of("billing", "dlr_svc", base().await).await;
        assert!(said.contains("role dlr_svc has no "), "{said}");
    });
}

#[test]
fn a_log_whose_defences_are_down_is_not_worked_with() {
    run(async {
        for (harm, told, remedy) in [
            (
                "grant temporary on database {database} to public",
                "temporary objects may be made in it",
                "revoke temporary on database",
            ),
            (
                "grant temporary on database {database} to {role}",
                "temporary objects may be made in it",
                "revoke temporary on database",
            ),
            (
                "alter function eventlog.judge set search_path = pg_catalog",
                "eventlog.judge",
                "set search_path = pg_catalog, pg_temp",
            ),
            (
                "alter function eventlog.enrol_tenant reset search_path",
                "eventlog.enrol_tenant",
                "set search_path = pg_catalog, pg_temp",
            ),
            (
                "alter table eventlog.event enable trigger refuse_update_and_delete",
                "trigger refuse_update_and_delete on eventlog.event can be put to sleep",
                "enable always trigger refuse_update_and_delete",
            ),
            (
                "alter table eventlog.event disable trigger refuse_truncate",
                "trigger refuse_truncate on eventlog.event can be put to sleep",
                "enable always trigger refuse_truncate",
            ),
            (
                "alter table eventlog.event no force row level security",
                "eventlog.event does not force row-level security",
                "force row level security",
            ),
        ] {
            for (service, role) in [("dlr", "dlr_svc"), ("billing", "billing_svc")] {
                let base = base().await;
                let harm = harm
                    .replace("{database}", base.name)
                    .replace("{role}", role);
                base.alter(&harm).await;
                let said = refusal_of(service, role, base).await;
                assert!(said.contains(told), "{harm}: {said}");
                assert!(said.contains(remedy), "{harm}: {said}");
            }
        }
    });
}

#[test]
fn rights_past_the_declaration_are_told_by_services_of_the_version_that_was_migrated() {
    run(async {
        let base = base().await;
        let admin = base.admin().await;
        let harm = "grant select on eventlog.data_key to auditor";
        admin.batch_execute(harm).await.expect("a superuser may");
        for (service, role) in [("dlr", "dlr_svc"), ("billing", "billing_svc")] {
            let said = refusal_of(service, role, base).await;
            for told in [
                "auditor may SELECT on table eventlog.data_key, which is not declared",
                "revoke SELECT on eventlog.data_key from auditor",
            ] {
                assert!(said.contains(told), "{said}");
            }
        }
        // A rollout: another version has migrated, which may have declared that.
        let other = "update tollbook_guard.declaration set fingerprint = 'another'";
        admin.batch_execute(other).await.expect("a superuser may");
        for (service, role) in [("dlr", "dlr_svc"), ("billing", "billing_svc")] {
            let folder = TempDir::new().expect("a folder");
            let mut variables = environment(role, base, &folder).await;
            variables.insert("LOG_LEVEL", "info".to_owned());
            waits_for("nats", &[service], &variables).await;
        }
    });
}

#[test]
fn what_two_versions_of_postgres_word_differently_is_not_told_and_the_rest_is() {
    run(async {
        let base = base().await;
        base.alter("alter policy own_tenant on billing.accounts using (true)")
            .await;
        let service = base.pool("dlr_svc");
        let altered = async || service.query(ALTERED, &[]).await.expect("asked").len();
        assert_eq!(altered().await, 1);
        let upgraded = "update tollbook_guard.recorded set server = 14 where server is not null";
        let admin = base.admin().await;
        admin
            .batch_execute(upgraded)
            .await
            .expect("a superuser may");
        assert_eq!(altered().await, 0);
        base.alter("alter function eventlog.enrol_day security invoker")
            .await;
        assert_eq!(altered().await, 1);
    });
}

#[test]
fn a_role_whose_commits_could_be_lost_is_not_worked_with() {
    run(async {
        for (service, role) in [("dlr", "dlr_svc"), ("billing", "billing_svc")] {
            for value in ["off", "local"] {
                let base = base().await;
                let name = base.name;
                let harm = format!(
                    "alter role {role} in database {name} set synchronous_commit = {value}"
                );
                base.alter(&harm).await;
                let said = refusal_of(service, role, base).await;
                let told = format!("postgres has synchronous_commit = {value} for role {role}");
                assert!(said.contains(&told), "{said}");
            }
        }
    });
}

#[test]
fn a_server_that_could_lose_commits_is_not_worked_with() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let admin = place.world.admin().await.expect("postgres");
        for setting in ["fsync", "full_page_writes"] {
            let change = |to: &str| format!("alter system {to}");
            let shown = async || {
                let sql = format!("select pg_reload_conf(), current_setting('{setting}')");
                let row = admin.query_one(&sql, &[]).await.expect("reads");
                row.get::<_, String>(1)
            };
            let off = change(&format!("set {setting} = off"));
            admin.batch_execute(&off).await.expect("a superuser may");
            eventually("it is off", async || (shown().await == "off").then_some(())).await;
            let receipts = place.world.variables("dlr-processor", "dlr_svc");
            let charges = place.world.billing_variables().await.expect("keys");
            for (service, mut variables) in [("dlr", receipts), ("billing", charges)] {
                variables.insert("PROBE_PORT", "0".to_owned());
                let ended = tollbook(&[service], &variables).await;
                assert_eq!(ended.code, Some(1), "{ended:?}");
                let told = format!("postgres has {setting} = off");
                assert!(ended.err.contains(&told), "{ended:?}");
            }
            let on = change(&format!("reset {setting}"));
            admin.batch_execute(&on).await.expect("a superuser may");
            eventually("it is on", async || (shown().await == "on").then_some(())).await;
        }
    });
}
