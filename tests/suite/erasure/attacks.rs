//! Who may erase, and what happens to an erasure that is cut off or runs among traffic.

use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::fixture::{Tenant, stage, told_of};
use crate::fixture::{Base, base, eventually, run, unique};

/// What a role is told that tries this.
async fn told(base: Base, role: &str, sql: &str) -> Option<SqlState> {
    let client = base.client(role).await;
    let refused = client.batch_execute(sql).await.err();
    refused.map(|error| error.code().cloned().expect("postgres said it"))
}

#[test]
fn no_service_erases_anybody_and_none_sees_who_is_being_erased() {
    run(async {
        let base = base().await;
        let tenant = unique();
        let digest = "decode(repeat('00', 32), 'hex')";
        for sql in [
            format!("select eventlog.begin_erasure('{tenant}', '{tenant}', {digest}, 1::int2)"),
            format!("select eventlog.rename_erased('{tenant}', 1)"),
            "select eventlog.hold_projections()".to_owned(),
            format!("select eventlog.find_tenant('{tenant}')"),
            format!(
                "insert into eventlog.erased_tenant (pseudonym, digest, master_key)
                    values ('{tenant}', {digest}, 1)"
            ),
            "delete from eventlog.erased_tenant".to_owned(),
            "update eventlog.erased_tenant set digest = digest".to_owned(),
            "select tenant_id from eventlog.erased_tenant".to_owned(),
            "delete from eventlog.tenant".to_owned(),
            "delete from eventlog.data_key".to_owned(),
        ] {
            for role in ["dlr_svc", "billing_svc", "auditor"] {
                let told = told(base, role, &sql).await;
                assert_eq!(
                    told,
                    Some(SqlState::INSUFFICIENT_PRIVILEGE),
                    "{role}: {sql}"
                );
            }
        }
    });
}

#[test]
fn an_erasure_that_was_cut_off_is_finished_by_the_next_run() {
    run(async {
        let stage = stage().await;
        let tenant = Tenant::new();
        stage.agree(tenant).await;
        let sms = stage.settled(tenant).await;
        let pseudonym = stage.pseudonym(tenant).await.expect("known");
        stage.announce(tenant, unique()).await;
        stage.pending(1).await;
        // As a job does that is killed behind its first transaction.
        let sql = "select eventlog.begin_erasure($1, $2, sha256('cut off'), 1::int2)";
        let begun = stage
            .database()
            .execute(sql, &[&pseudonym, &tenant.id()])
            .await;
        begun.expect("begun");
        let found = stage
            .verify(tenant)
            .await
            .expect_err("it is half done")
            .to_string();
        assert!(
            found.contains("eventlog.erased_tenant.tenant_id"),
            "{found}"
        );
        assert!(found.contains("dlr.delivery_receipts.tenant_id"), "{found}");
        let said = stage.run_job().await.expect("finished");
        assert!(said.contains(&pseudonym.to_string()), "{said}");
        assert_eq!(stage.charged(&sms).await, pseudonym);
        let sql = "select count(*) from eventlog.erased_tenant where tenant_id is not null";
        let row = stage.database().query_one(sql, &[]).await;
        assert_eq!(row.expect("reads").get::<_, i64>(0), 0);
    });
}

#[test]
fn a_tenant_erased_among_its_own_traffic_is_named_nowhere_and_nothing_is_lost() {
    run(async {
        let stage = stage().await;
        let tenant = Tenant::new();
        stage.agree(tenant).await;
        let first = stage.settled(tenant).await;
        let pseudonym = stage.pseudonym(tenant).await.expect("known");
        let messages: Vec<_> = (0..300).map(|_| tenant.sms()).collect();
        for sms in &messages {
            stage.desk.enqueue(sms).await;
        }
        let traffic = async {
            let mut last = 0;
            for sms in &messages {
                last = stage.desk.send(&told_of(sms)).await;
            }
            last
        };
        let erasing = stage.erase(tenant);
        let (last, ()) = tokio::join!(traffic, erasing);
        stage.desk.done(last).await;
        let ids: Vec<Uuid> = messages.iter().chain([&first]).map(|sms| sms.id).collect();
        eventually("everything is charged", async || {
            let sql = "select count(*) from billing.billing_events
                where message_id = any($1) and tenant_id = $2";
            let row = stage.database().query_one(sql, &[&ids, &pseudonym]).await;
            (row.expect("reads").get::<_, i64>(0) == 301).then_some(())
        })
        .await;
        stage.verify(tenant).await.expect("it is erased");
    });
}
