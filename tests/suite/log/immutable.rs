//! L1: no event is ever updated or deleted, whoever tries.

use eventstore::contract::samples;
use tokio_postgres::{Client, error::SqlState};

use crate::fixture::{ACCOUNTS, Base, append, base, position_of, run};

/// Ways to change history, and what may let them seem to do nothing.
const ATTEMPTS: [&str; 6] = [
    "update eventlog.event set payload = '{}'",
    "update eventlog.event set position = position + 1000",
    "delete from eventlog.event",
    "truncate eventlog.event",
    "insert into eventlog.event select * from eventlog.event
        on conflict (log_id, position) do update set payload = '{}'",
    "merge into eventlog.event e using (select 1) as one on true when matched then delete",
];

/// Everything in the log, as one number.
async fn fingerprint(admin: &Client) -> String {
    let sql = "select count(*) || ' ' || md5(string_agg(e::text, '|' order by position))
               from eventlog.event e";
    admin.query_one(sql, &[]).await.expect("reads").get(0)
}

async fn a_log_with_three_events() -> (Base, Client) {
    let base = base().await;
    let recorded = append(
        &base.log("dlr_svc"),
        samples::append(samples::fresh(), 0, 3),
    )
    .await;
    assert_eq!(position_of(&recorded), 1);
    let admin = base.admin().await;
    (base, admin)
}

#[test]
fn l1_no_account_may_update_delete_or_truncate() {
    run(async {
        let (base, admin) = a_log_with_three_events().await;
        let before = fingerprint(&admin).await;
        assert!(before.starts_with("3 "), "{before}");
        for role in ACCOUNTS {
            let client = base.client(role).await;
            for attempt in ATTEMPTS {
                let error = client.batch_execute(attempt).await.expect_err(attempt);
                let refused = error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE);
                assert!(refused, "{role}: {attempt}: {error:?}");
            }
        }
        assert_eq!(fingerprint(&admin).await, before);
    });
}

#[test]
fn l1_the_owner_and_a_superuser_are_stopped_by_the_trigger() {
    run(async {
        let (_, admin) = a_log_with_three_events().await;
        let before = fingerprint(&admin).await;
        for role in ["tollbook_owner", "postgres"] {
            admin
                .batch_execute(&format!("set role {role}"))
                .await
                .expect("may become it");
            for attempt in ATTEMPTS {
                let error = admin.batch_execute(attempt).await.expect_err(attempt);
                let said = error.as_db_error().map(|error| error.message().to_owned());
                // Where the owner would insert first, the policy is faster than the trigger.
                let ours = said.as_deref().is_some_and(|said| {
                    said.contains("append-only")
                        || role == "tollbook_owner" && said.contains("only_events_granted")
                });
                assert!(ours, "{role}: {attempt}: {said:?}");
            }
            admin.batch_execute("reset role").await.expect("itself");
        }
        assert_eq!(fingerprint(&admin).await, before);
    });
}

#[test]
fn l1_only_the_functions_add_events_and_move_checkpoints_and_nobody_else_locks_the_log() {
    run(async {
        let (base, admin) = a_log_with_three_events().await;
        let before = fingerprint(&admin).await;
        let attempts = [
            "insert into eventlog.event select * from eventlog.event",
            "insert into eventlog.log values (2)",
            "delete from eventlog.log",
            "select from eventlog.log for update",
            "update eventlog.progress set position = 0",
            "insert into eventlog.progress values (1, 'sms_messages', 1)",
            "delete from eventlog.progress",
            "select from eventlog.projection for update",
            "insert into eventlog.read_permission values ('dlr_svc', 'charge')",
            "insert into eventlog.append_permission values ('dlr_svc', 'message', 'New', 1)",
            "update eventlog.append_permission set role = session_user",
            "insert into eventlog.projection values (1, 'new', 'dlr_svc')",
        ];
        for role in ACCOUNTS {
            let client = base.client(role).await;
            for attempt in attempts {
                let error = client.batch_execute(attempt).await.expect_err(attempt);
                let refused = error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE);
                assert!(refused, "{role}: {attempt}: {error:?}");
            }
        }
        assert_eq!(fingerprint(&admin).await, before);
    });
}
