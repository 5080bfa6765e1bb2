//! The policies do not cost a question its index: the tenant and the account are looked up, not
//! filtered out, in every version of Postgres and also by a plan that knows no values.

use projections::Scope;
use schema::TenantId;
use tests::stack::PgVersion;

use crate::fixture::{base_in, postgres, run, unique};

const BY_HOUR: &str = include_str!("../../../projections/src/charges/usage_summaries/by_hour.sql");
const BY_DAY: &str = include_str!("../../../projections/src/charges/usage_summaries/by_day.sql");

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
            let pool = base.pool("billing_svc");
            let mut client = pool.unhurried("explaining").await.expect("a client");
            let transaction = client.transaction().await.expect("begins");
            scope.enter(&transaction).await.expect("entered");
            let ask = format!(
                "set local plan_cache_mode = force_generic_plan;
                deallocate all;
                prepare asked (uuid, uuid, {period}, {period}, uuid) as {sql}"
            );
            transaction.batch_execute(&ask).await.expect("prepared");
            let explain = format!(
                "explain execute asked ('{tenant}', '{account}', '2026-01-01', '2026-02-01', null)"
            );
            let lines = transaction.query(&explain, &[]).await.expect("explained");
            let plan: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
            let plan = plan.join("\n");
            let condition = plan
                .lines()
                .find(|line| line.contains("Index Cond"))
                .unwrap_or_default();
            for part in ["tenant_id = $1", "account_id = $2", ">= $3", "< $4"] {
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
    }
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
