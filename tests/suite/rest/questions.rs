//! Questions have connections of their own: however many are asked, writes go on.

use hyper::Method;
use tests::world::WorldOptions;

use super::fixture::{Customer, DAYS, account_body, done};
use crate::fixture::{eventually, place, run};

/// One connection for questions.
const ONE: (&str, &str) = ("DB_POOL_QUESTIONS", "1");

#[test]
fn a_question_that_takes_long_holds_up_no_write_and_no_charge() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let billing = world.billing(&[ONE]).await.expect("a service");
        let rest = world.rest(&billing).await.expect("reached");
        let of = Customer::nobody();
        let path = format!("/v1/admin/accounts/{}", of.account);
        done(&rest, Method::PUT, &path, Some(&account_body(of.tenant))).await;

        // The question waits for the table's lock, and with it the one connection for questions.
        let mut database = world.admin().await.expect("postgres");
        let lock = database.transaction().await.expect("begun");
        let sql = "lock table billing.usage_days in access exclusive mode";
        lock.batch_execute(sql).await.expect("locked");
        let viewer = rest.as_customer(of.tenant, of.account);
        let usage = format!("/v1/billing/usage?{DAYS}");
        let asking = (0..24).map(|_| viewer.get(&usage));
        let asking = futures::future::join_all(asking);
        let writing = async {
            let observer = world.admin().await.expect("postgres");
            eventually("a question waits", async || {
                let sql = "select count(*) from pg_stat_activity
                    where usename = 'billing_svc' and wait_event_type = 'Lock'";
                let row = observer.query_one(sql, &[]).await.expect("reads");
                (row.get::<_, i64>(0) > 0).then_some(())
            })
            .await;
            for _ in 0..5 {
                let other = Customer::nobody();
                let path = format!("/v1/admin/accounts/{}", other.account);
                let body = account_body(other.tenant);
                // Answered once it shows: appended, projected and read.
                done(&rest, Method::PUT, &path, Some(&body)).await;
            }
            drop(lock);
        };
        let (answers, ()) = tokio::join!(asking, writing);
        let served = answers.into_iter().map(|answer| answer.expect("an answer").status);
        assert!(served.clone().all(|status| [200, 503].contains(&status)));
    });
}
