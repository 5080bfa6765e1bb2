//! The policies do not cost a question its index: the tenant and the account are looked up, not
//! filtered out, in every version of Postgres and also by a plan that knows no values.

use projections::Scope;
use schema::TenantId;
use tests::stack::PgVersion;

use crate::fixture::{Base, base_in, postgres, run, unique};

const BY_HOUR: &str = include_str!("../../../projections/src/charges/usage_summaries/by_hour.sql");
const BY_DAY: &str = include_str!("../../../projections/src/charges/usage_summaries/by_day.sql");

const BY_BUCKET: &str = include_str!("../../../projections/src/charges/margins/by_bucket.sql");
const BY_TIER: &str = include_str!("../../../projections/src/charges/margins/by_tier.sql");
const WHOLE_SETS: &str =
    include_str!("../../../projections/src/operator_statements/comparison/join_whole_sets.sql");
const MATCH: &str =
    include_str!("../../../projections/src/operator_statements/comparison/match.sql");
const MESSAGES: &str =
    include_str!("../../../projections/src/operator_statements/comparison/messages.sql");
const UNMATCHED: &str =
    include_str!("../../../projections/src/operator_statements/comparison/unmatched.sql");

const CHARGES: &str = include_str!("../../../projections/src/charges/billing_events/list.sql");

/// The plan of `sql` for whatever values, as `billing_svc` has it under `scope`.
async fn plan(base: Base, scope: Scope, sql: &str, kinds: &str, values: &str) -> String {
    plan_after(base, scope, "select", sql, kinds, values).await
}

/// The same after a setting of the transaction.
async fn plan_after(
    base: Base,
    scope: Scope,
    setting: &str,
    sql: &str,
    kinds: &str,
    values: &str,
) -> String {
    let pool = base.pool("billing_svc");
    let mut client = pool.unhurried("explaining").await.expect("a client");
    let transaction = client.transaction().await.expect("begins");
    scope.enter(&transaction).await.expect("entered");
    transaction.batch_execute(setting).await.expect("set");
    let ask = format!(
        "set local plan_cache_mode = force_generic_plan;
        deallocate all;
        prepare asked ({kinds}) as {sql}"
    );
    transaction.batch_execute(&ask).await.expect("prepared");
    let explain = format!("explain execute asked ({values})");
    let lines = transaction.query(&explain, &[]).await.expect("explained");
    let plan: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
    plan.join("\n")
}

/// The plan looks these conditions up, sorts nothing, walks through no table, and reads the settings
/// once.
fn looks_up(plan: &str, conditions: &[&str]) {
    let condition = plan.lines().find(|line| line.contains("Index Cond"));
    let condition = condition.unwrap_or_default();
    for part in conditions {
        assert!(condition.contains(part), "{part} is not looked up:\n{plan}");
    }
    assert!(
        !plan.contains("Sort") && !plan.contains("Seq Scan"),
        "{plan}"
    );
    assert!(
        plan.contains("InitPlan"),
        "settings are read per row:\n{plan}"
    );
}

/// Charges are found along the index behind any place, and not put in order first.
async fn lists_along_the_index(version: PgVersion) {
    let base = base_in(postgres(version).await).await;
    let admin = base.admin().await;
    let sql = include_str!("../charges/listed/seed.sql");
    let mut whose = (unique(), unique());
    for count in [20_000_i64, 300, 300, 300] {
        whose = (unique(), unique());
        let first = -20_000_i64 * (count + i64::from(whose.0.as_bytes()[15]));
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
            [&whose.0, &whose.1, &unique(), &unique(), &count, &first];
        admin
            .execute(sql, &parameters)
            .await
            .expect("a superuser may");
    }
    admin
        .batch_execute("analyze billing.billing_events")
        .await
        .expect("analysed");
    let (tenant, account) = whose;
    let kinds = "smallint, uuid, uuid, timestamptz, bigint, timestamptz, bigint, bigint, bigint,
        uuid, text, boolean";
    let values = format!(
        "1, '{tenant}', '{account}', '2026-02-01', 5, '2026-03-01', 1000, 21, 10000, null, null, null"
    );
    for scope in [Scope::Tenant(TenantId(tenant)), Scope::EveryTenant] {
        let plan = plan(base, scope, CHARGES, kinds, &values).await;
        let place = "ROW(rated_at, \"position\") > ROW($4, $5)";
        looks_up(
            &plan,
            &["tenant_id = $2", "account_id = $3", place, "rated_at < $6"],
        );
    }
}

async fn keeps_its_index(version: PgVersion) {
    let base = base_in(postgres(version).await).await;
    let admin = base.admin().await;
    let (tenant, account) = (unique(), unique());
    let fill = include_str!("plans/much_usage.sql");
    let fill = fill
        .replace("$1", &format!("'{tenant}'"))
        .replace("$2", &format!("'{account}'"));
    admin.batch_execute(&fill).await.expect("a superuser may");
    for (sql, period) in [(BY_HOUR, "timestamptz"), (BY_DAY, "date")] {
        for scope in [Scope::Tenant(TenantId(tenant)), Scope::EveryTenant] {
            let kinds = format!("uuid, uuid, {period}, {period}, uuid");
            let values = format!("'{tenant}', '{account}', '2026-01-01', '2026-02-01', null");
            let plan = plan(base, scope, sql, &kinds, &values).await;
            let conditions = ["tenant_id = $1", "account_id = $2", ">= $3", "< $4"];
            looks_up(&plan, &conditions);
        }
    }
}

/// Margins look at the days, and by tier at the charges, that are asked for, and at no others.
async fn adds_up_along_the_indexes(version: PgVersion) {
    let base = base_in(postgres(version).await).await;
    let admin = base.admin().await;
    let fill = include_str!("plans/much_usage.sql");
    let fill = fill
        .replace("$1", &format!("'{}'", unique()))
        .replace("$2", &format!("'{}'", unique()));
    admin.batch_execute(&fill).await.expect("a superuser may");
    let charges = include_str!("../charges/listed/seed.sql");
    let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 6] = [
        &unique(),
        &unique(),
        &unique(),
        &unique(),
        &20_000_i64,
        &-100_000_i64,
    ];
    let filled = admin.execute(charges, &parameters).await;
    filled.expect("a superuser may");
    let analyze = "analyze billing.billing_events, billing.usage_days";
    admin.batch_execute(analyze).await.expect("analysed");
    let looks_at = |plan: &str, conditions: &[&str]| {
        assert!(!plan.contains("Seq Scan"), "{plan}");
        for condition in conditions {
            let mut lines = plan.lines().filter(|line| line.contains("Index Cond"));
            let found = lines.any(|line| line.contains(condition));
            assert!(found, "{condition} is not looked up:\n{plan}");
        }
    };
    let kinds = "smallint, date, date, text, text, text, bigint";
    let values = "1, '2026-01-05', '2026-01-06', 'operator', '', '', 21";
    let sums = plan(base, Scope::EveryTenant, BY_BUCKET, kinds, values).await;
    looks_at(&sums, &["(day >= $2) AND (day < $3)"]);
    let kinds = "smallint, timestamptz, timestamptz, text, text, bigint, date, date";
    let values = "1, '2026-01-05', '2026-01-06', '', '', 21, '2026-01-05', '2026-01-06'";
    let charges = plan(base, Scope::EveryTenant, BY_TIER, kinds, values).await;
    looks_at(
        &charges,
        &[
            "(day >= $7) AND (day < $8)",
            "(rated_at >= $2) AND (rated_at < $3)",
            "(operator_id = ",
        ],
    );
}

#[test]
fn margins_look_at_no_other_days_than_they_are_asked_for() {
    run(async {
        adds_up_along_the_indexes(PgVersion::V18).await;
        if PgVersion::V15.available() {
            adds_up_along_the_indexes(PgVersion::V15).await;
        }
    });
}

#[test]
fn the_policies_leave_the_usage_questions_their_index() {
    run(async {
        keeps_its_index(PgVersion::V18).await;
        if PgVersion::V15.available() {
            keeps_its_index(PgVersion::V15).await;
        }
    });
}

#[test]
fn the_policies_leave_the_list_of_charges_its_index_and_its_order() {
    run(async {
        lists_along_the_index(PgVersion::V18).await;
        if PgVersion::V15.available() {
            lists_along_the_index(PgVersion::V15).await;
        }
    });
}

/// Its tables are filled and emptied again and again, and what Postgres thinks of them is wrong: nothing
/// may be looked through once for each line.
async fn joins_whole_sets(version: PgVersion) {
    let base = base_in(postgres(version).await).await;
    let (id, mut looped) = (unique(), false);
    for (sql, kinds, values) in [
        (MATCH, "uuid, bigint, bigint", "0, 1"),
        (
            MESSAGES,
            "uuid, bigint, bigint, text, bigint",
            "0, 1, 'EUR', 100",
        ),
        (UNMATCHED, "uuid, bigint, bigint, bigint", "0, 1, 100"),
    ] {
        let values = format!("'{id}', {values}");
        let scope = Scope::EveryTenant;
        let planned = plan(base, scope, sql, kinds, &values).await;
        looped |= planned.contains("Nested Loop");
        let planned = plan_after(base, scope, WHOLE_SETS, sql, kinds, &values).await;
        assert!(!planned.contains("Nested Loop"), "{planned}");
    }
    assert!(looped, "the setting is needed");
}

#[test]
fn a_carriers_statement_is_compared_by_whole_sets() {
    run(async {
        joins_whole_sets(PgVersion::V18).await;
        if PgVersion::V15.available() {
            joins_whole_sets(PgVersion::V15).await;
        }
    });
}
