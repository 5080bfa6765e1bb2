//! Attacks on the log by whoever holds a database account: a service that was broken into, a job's
//! account, an administrator in a hurry. All of them talk to Postgres itself, past our own code.

use schema::Category;
use tests::stack::PgVersion;
use tokio_postgres::{Client, Error, Row, error::SqlState};
use uuid::Uuid;

use crate::fixture::{Base, append, base_in, dense, kinds, position_of, postgres, run, unique};

/// Mounts an attack on Postgres 18, and on 15 where it is installed.
fn on_both(attack: impl AsyncFn(Base)) {
    run(async {
        for version in [PgVersion::V18, PgVersion::V15] {
            if version.available() {
                attack(base_in(postgres(version).await).await).await;
            } else {
                eprintln!("skipped: apt-get install postgresql-15 lets this run");
            }
        }
    });
}

/// What an attacker appends: one event for a stream of its own.
struct Forged {
    category: &'static str,
    name: &'static str,
    schema_version: i16,
    principal: &'static str,
    guard: Option<(&'static str, Uuid)>,
}

/// What `dlr_svc` may append.
const HONEST: Forged = Forged {
    category: "message",
    name: "MessageSettled",
    schema_version: 1,
    principal: "dlr",
    guard: None,
};

impl Forged {
    async fn append(&self, client: &Client) -> Result<Row, Error> {
        let (guarded, guard) = self.guard.unzip();
        let sql = include_str!("append.sql");
        let stream = unique();
        let Self {
            category,
            name,
            schema_version,
            principal,
            ..
        } = self;
        client
            .query_one(
                sql,
                &[
                    category,
                    &stream,
                    name,
                    schema_version,
                    principal,
                    &guarded,
                    &guard,
                ],
            )
            .await
    }
}

fn is_refused<T>(answer: Result<T, Error>) -> bool {
    answer.is_err_and(|error| error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE))
}

/// `statement` is refused for want of a right.
async fn refused(client: &Client, statement: &str) {
    let answer = client.batch_execute(statement).await;
    assert!(is_refused(answer), "not refused: {statement}");
}

#[test]
fn a_type_that_the_caller_makes_never_runs_as_the_owner_of_the_log() {
    on_both(async |base: Base| {
        let admin = base.admin().await;
        for role in ["dlr_svc", "billing_svc"] {
            refused(
                &base.client(role).await,
                "create domain pg_temp.text as pg_catalog.text",
            )
            .await;
            // Somebody lets it all the same.
            let lets = format!("grant temporary on database {} to {role}", base.name);
            admin.batch_execute(&lets).await.expect("a superuser may");
        }
        let attacker = spying(base).await;
        for call in [
            // Twice the same event, so that it is judged too.
            include_str!("twice.sql"),
            "select eventlog.take_checkpoint(1::int2, 'sms_messages')",
            "select eventlog.recorded_at(1::int2, 1)",
            "select eventlog.advance_checkpoint(
                1::int2, 'sms_messages', 0, 0, 1, eventlog.recorded_at(1::int2, 1))",
            "select eventlog.enrol_tenant(
                gen_random_uuid(), gen_random_uuid(), '\\x00', 1::int2, sha256('key'), '{}')",
            "select eventlog.enrol_day(current_date, 1::int2, '\\x00', 1::int2, sha256('key'))",
        ] {
            let ran = attacker.batch_execute(call).await;
            assert!(ran.is_ok(), "{call}: {ran:?}");
        }
        assert_eq!(dense(&admin).await, 1);
        // The spy is awake: without `pg_temp` in its place, the same call runs it as the owner.
        let open = "alter function eventlog.append set search_path = pg_catalog";
        base.alter(open).await;
        let attacker = spying(base).await;
        let told = attacker.batch_execute(include_str!("twice.sql")).await;
        let told = told.expect_err("the spy tells");
        let told = told.as_db_error().expect("by itself").message().to_owned();
        assert!(told.contains("this ran as tollbook_owner"), "{told}");
    });
}

/// A session of `dlr_svc` in which its own types stand in the way of the real ones.
async fn spying(base: Base) -> Client {
    let client = base.client("dlr_svc").await;
    let made = client.batch_execute(include_str!("spy.sql")).await;
    made.expect("temporary objects are let");
    client
}

#[test]
fn a_service_appends_no_type_of_event_that_is_not_its_own() {
    on_both(async |base: Base| {
        let dlr = base.client("dlr_svc").await;
        for forged in [
            Forged {
                name: "NeverHeardOf",
                ..HONEST
            },
            Forged {
                schema_version: 2,
                ..HONEST
            },
            Forged {
                name: "MessageCharged",
                ..HONEST
            },
            // Its own type, in the wrong kind of stream.
            Forged {
                category: "orphan",
                ..HONEST
            },
            Forged {
                category: "charge",
                name: "MessageCharged",
                ..HONEST
            },
        ] {
            let answer = forged.append(&dlr).await;
            assert!(is_refused(answer), "{}/{}", forged.category, forged.name);
        }
        HONEST.append(&dlr).await.expect("what is its own goes in");
        assert_eq!(dense(&base.admin().await).await, 1);
    });
}

#[test]
fn whoever_records_in_anothers_name_is_recorded_too() {
    on_both(async |base: Base| {
        let forged = Forged {
            category: "audit",
            name: "AccessRefused",
            principal: "somebody.else@example.com",
            ..HONEST
        };
        let billing = base.client("billing_svc").await;
        forged.append(&billing).await.expect("goes in");
        let sql = "select principal, recorded_by from eventlog.event";
        let row = base.client("auditor").await.query_one(sql, &[]).await;
        let row = row.expect("the auditor sees it");
        assert_eq!(row.get::<_, &str>(0), "somebody.else@example.com");
        assert_eq!(row.get::<_, &str>(1), "billing_svc");
    });
}

#[test]
fn a_guard_tells_nothing_of_a_stream_that_its_role_may_not_read() {
    on_both(async |base: Base| {
        let price = kinds::append_in(Category::Price, unique(), 0, 3);
        let prices = price.stream.id;
        let recorded = append(&base.log("billing_svc"), price).await;
        assert_eq!(position_of(&recorded), 1);
        let dlr = base.client("dlr_svc").await;
        // Neither one that is there nor one that is not.
        for stream in [prices, unique()] {
            let curious = Forged {
                guard: Some(("price", stream)),
                ..HONEST
            };
            assert!(is_refused(curious.append(&dlr).await), "{stream}");
        }
        let own = Forged {
            guard: Some(("orphan", unique())),
            ..HONEST
        };
        own.append(&dlr).await.expect("its own kinds it may guard");
        assert_eq!(dense(&base.admin().await).await, 4);
    });
}

#[test]
fn not_even_the_owner_adds_events_around_append() {
    on_both(async |base: Base| {
        let recorded = append(
            &base.log("dlr_svc"),
            kinds::append_in(Category::Message, unique(), 0, 1),
        )
        .await;
        assert_eq!(position_of(&recorded), 1);
        let forge = include_str!("forge.sql");
        let job = base.client("tollbook_admin").await;
        refused(&job, forge).await;
        refused(&job, "delete from eventlog.log").await;
        refused(&job, "update eventlog.progress set position = 0").await;
        refused(&job, "set role tollbook_owner").await;
        // The policy is for the owner too: a superuser who acts as the owner is still nobody who may append.
        let admin = base.admin().await;
        admin
            .batch_execute("set role tollbook_owner")
            .await
            .expect("a superuser");
        refused(&admin, forge).await;
        admin.batch_execute("reset role").await.expect("itself");
        assert_eq!(dense(&admin).await, 1);
    });
}

#[test]
fn history_is_not_rewritten_in_a_session_in_which_triggers_sleep() {
    on_both(async |base: Base| {
        let fact = kinds::append_in(Category::Message, unique(), 0, 1);
        append(&base.log("dlr_svc"), fact).await;
        let admin = base.admin().await;
        admin
            .batch_execute("set session_replication_role = replica")
            .await
            .expect("a superuser may");
        refused(&admin, "update eventlog.event set payload = '{}'").await;
        refused(&admin, "delete from eventlog.event").await;
        refused(&admin, "truncate eventlog.event").await;
        assert_eq!(dense(&admin).await, 1);
    });
}

#[test]
fn a_role_takes_checkpoints_only_under_the_names_that_were_granted_to_it() {
    on_both(async |base: Base| {
        let dlr = base.client("dlr_svc").await;
        let take = "select eventlog.take_checkpoint($1, $2)";
        for (log, projection) in [
            (1_i16, "billing_events"),
            (1, "a projection of billing to come"),
            (2, "sms_messages"),
        ] {
            let answer = dlr.query_one(take, &[&log, &projection]).await;
            assert!(is_refused(answer), "{projection} of log {log}");
        }
        let own = dlr.query_one(take, &[&1_i16, &"sms_messages"]).await;
        assert_eq!(own.expect("its own").get::<_, Option<i64>>(0), Some(0));
        let advance = "select eventlog.advance_checkpoint($1, $2, 0, 0, 0, null)";
        for (log, projection) in [(1_i16, "billing_events"), (2, "sms_messages")] {
            let answer = dlr.query_one(advance, &[&log, &projection]).await;
            assert!(answer.is_err(), "{projection} of log {log}");
        }
        let sql = "select count(*) from eventlog.progress";
        let row = base.admin().await.query_one(sql, &[]).await;
        assert_eq!(row.expect("reads").get::<_, i64>(0), 0, "nothing is left");
    });
}
