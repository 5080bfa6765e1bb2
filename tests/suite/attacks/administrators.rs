//! Attacks on the log by its own administrators: the account of jobs, a member of the owner, a
//! superuser in a hurry. On servers of their own, because roles belong to a whole server.

use std::collections::BTreeMap;

use eventstore::contract::samples;
use tests::stack::{PgOptions, PgVersion, Postgres};
use tokio_postgres::{Client, error::SqlState};

use crate::fixture::{Base, append, base_in, position_of, prepare, run, tollbook};

/// Changes of our tables, functions, triggers and policies, and of who may what.
const CHANGES: [&str; 22] = [
    "alter table eventlog.event disable trigger refuse_update_and_delete",
    "alter table eventlog.event disable trigger all",
    "alter table eventlog.event no force row level security",
    "alter table eventlog.event drop column payload",
    "alter table eventlog.event set schema dlr",
    "drop trigger refuse_truncate on eventlog.event",
    "drop policy only_events_granted_to_the_session on eventlog.event",
    "create policy mine on eventlog.event using (true)",
    "create rule mine as on insert to eventlog.event do instead nothing",
    "create trigger mine before insert on dlr.delivery_receipts
        for each row execute function eventlog.refuse_rewriting()",
    "drop table eventlog.event cascade",
    "drop table dlr.orphan_resolutions cascade",
    "drop schema billing cascade",
    "alter schema eventlog rename to mine",
    "drop function eventlog.append",
    "alter function eventlog.append set search_path = public",
    "create or replace function eventlog.refuse_rewriting() returns trigger
        language plpgsql as $$ begin return new; end $$",
    "create table eventlog.mine ()",
    "create table billing.mine ()",
    "grant all on eventlog.event to tollbook_admin",
    "alter default privileges in schema dlr grant all on tables to tollbook_admin",
    "drop owned by tollbook_owner",
];

/// What would let an administrator change them.
const LIFTS: [&str; 10] = [
    "drop event trigger tollbook_guard_change",
    "alter event trigger tollbook_guard_drop disable",
    "drop schema tollbook_guard cascade",
    "select tollbook_guard.open_window()",
    "insert into tollbook_guard.change_window (ends_at) values ('infinity')",
    "update tollbook_guard.change_window set ends_at = 'infinity'",
    "create or replace function tollbook_guard.window_is_open() returns boolean
        language sql as 'select true'",
    "delete from tollbook_guard.recorded",
    "grant tollbook_owner to dlr_svc",
    "set session_replication_role = replica",
];

/// What takes away what keeps events from being rewritten, in whichever way.
const REWRITES: [&str; 17] = [
    "alter table eventlog.event disable trigger refuse_update_and_delete",
    "alter table eventlog.event disable trigger all",
    "alter table eventlog.event enable trigger refuse_truncate",
    "alter table eventlog.event no force row level security",
    "alter table eventlog.event disable row level security",
    "alter table eventlog.event drop column payload",
    "alter table eventlog.event alter column principal type varchar(2000) using 'me'",
    "alter table eventlog.event set schema dlr",
    "alter table eventlog.event rename to mine",
    "alter table eventlog.event owner to tollbook_admin",
    "alter trigger refuse_truncate on eventlog.event rename to mine",
    "drop trigger refuse_update_and_delete on eventlog.event",
    "drop policy only_events_granted_to_the_session on eventlog.event",
    "create rule mine as on insert to eventlog.event do instead nothing",
    "drop table eventlog.event cascade",
    "drop schema eventlog cascade",
    "create or replace function eventlog.refuse_rewriting() returns trigger
        language plpgsql set search_path = pg_catalog, pg_temp as $$ begin return new; end $$",
];

/// Those changes that do not begin with one of these words.
fn without(words: &[&str]) -> Vec<&'static str> {
    let begins = |sql: &str| words.iter().any(|word| sql.starts_with(word));
    CHANGES.into_iter().filter(|sql| !begins(sql)).collect()
}

/// A server of one's own with three events in its log, on each version that is at hand.
fn on_servers(attack: impl AsyncFn(Base)) {
    run(async {
        for version in [PgVersion::V18, PgVersion::V15] {
            if !version.available() {
                eprintln!("skipped: apt-get install postgresql-15 lets this run");
                continue;
            }
            let options = PgOptions {
                shared_buffers_mib: 32,
                settings: Vec::new(),
            };
            let server = Postgres::start(version, options).await.expect("postgres");
            let server: &'static Postgres = Box::leak(Box::new(server));
            prepare(server).await;
            let base = base_in(server).await;
            // Rights on a database are not copied with it.
            let name = base.name;
            let create = format!("grant create on database {name} to tollbook_owner");
            let done = base.admin().await.batch_execute(&create).await;
            done.expect("a superuser may");
            let fact = samples::append(samples::fresh(), 0, 3);
            assert_eq!(position_of(&append(&base.log("dlr_svc"), fact).await), 1);
            attack(base).await;
            server.stop().await.expect("stops");
        }
    });
}

/// Each statement is refused for want of a right; answers with what was said.
async fn refused(client: &Client, statements: &[&str]) -> Vec<String> {
    let mut told = Vec::new();
    for statement in statements {
        let error = client.batch_execute(statement).await;
        let error = error.expect_err(statement);
        let wanting = error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE);
        assert!(wanting, "{statement}: {error:?}");
        let said = error.as_db_error().map(|error| error.message().to_owned());
        told.push(said.unwrap_or_default());
    }
    told
}

/// Everything in the log, as one text.
async fn history(admin: &Client) -> String {
    let sql = "select string_agg(e::text, '|' order by position) from eventlog.event e";
    admin.query_one(sql, &[]).await.expect("reads").get(0)
}

/// A member of the owner who says so.
async fn as_owner(base: Base) -> Client {
    let job = base.client("tollbook_admin").await;
    let became = job.batch_execute("set role tollbook_owner").await;
    became.expect("a member");
    job
}

#[test]
fn the_account_of_jobs_is_no_owner_and_cannot_become_one() {
    on_servers(async |base: Base| {
        let admin = base.admin().await;
        let before = history(&admin).await;
        let job = base.client("tollbook_admin").await;
        refused(&job, &["set role tollbook_owner"]).await;
        // Of what it has not it may grant nothing, which is no error: the catalog says so below.
        let changes: Vec<_> = without(&["grant ", "alter default"]);
        refused(&job, &changes).await;
        refused(&job, &LIFTS).await;
        let _ = job
            .batch_execute("grant all on eventlog.event to tollbook_admin")
            .await;
        let sql = "select has_table_privilege('tollbook_admin', 'eventlog.event', 'UPDATE')";
        let row = admin.query_one(sql, &[]).await.expect("reads");
        assert!(!row.get::<_, bool>(0), "it granted itself what it has not");
        assert_eq!(history(&admin).await, before);
    });
}

#[test]
fn outside_of_a_change_window_not_even_a_member_of_the_owner_changes_anything() {
    on_servers(async |base: Base| {
        let admin = base.admin().await;
        let before = history(&admin).await;
        let grant = "grant tollbook_owner to tollbook_admin";
        admin.batch_execute(grant).await.expect("a superuser may");
        let owner = as_owner(base).await;
        for told in refused(&owner, &CHANGES).await {
            assert!(told.contains("no change window is open"), "{told}");
        }
        refused(&owner, &LIFTS).await;
        assert_eq!(history(&admin).await, before);
    });
}

#[test]
fn outside_of_a_change_window_a_superuser_is_stopped_before_it_changes_anything_by_mistake() {
    on_servers(async |base: Base| {
        let admin = base.admin().await;
        let before = history(&admin).await;
        // What it grants goes through; the services tell of it.
        for told in refused(&admin, &without(&["grant ", "alter default"])).await {
            assert!(told.contains("no change window is open"), "{told}");
        }
        assert_eq!(history(&admin).await, before);
    });
}

#[test]
fn in_a_change_window_a_member_of_the_owner_changes_tables_and_rewrites_no_event() {
    on_servers(async |base: Base| {
        let admin = base.admin().await;
        let before = history(&admin).await;
        let open = "select tollbook_guard.open_window('tollbook_admin')";
        admin.batch_execute(open).await.expect("a superuser may");
        let owner = as_owner(base).await;
        for change in [
            "create table dlr.mine (n int)",
            "alter table dlr.mine add column m int",
            "drop table dlr.mine",
            "alter table eventlog.event add column mine text",
        ] {
            let changed = owner.batch_execute(change).await;
            changed.unwrap_or_else(|error| panic!("{change}: {error:?}"));
        }
        let gone = "alter table eventlog.event drop column mine";
        let told = refused(&owner, &[gone]).await;
        assert!(told[0].contains("it holds events"), "{told:?}");
        admin.batch_execute(gone).await.expect("a superuser may");
        refused(&owner, &REWRITES).await;
        for rewrite in [
            "update eventlog.event set payload = '{}'",
            "truncate eventlog.event",
        ] {
            let told = refused(&owner, &[rewrite]).await;
            assert!(told[0].contains("append-only"), "{told:?}");
        }
        assert_eq!(history(&admin).await, before);
        // Whoever closes the window is a member no more.
        owner.batch_execute("reset role").await.expect("itself");
        let close = "select tollbook_guard.close_window()";
        owner.batch_execute(close).await.expect("a job may");
        refused(&owner, &["set role tollbook_owner"]).await;
    });
}

#[test]
fn a_change_window_ends_by_itself() {
    on_servers(async |base: Base| {
        let admin = base.admin().await;
        let open = "select tollbook_guard.open_window('tollbook_admin');
            update tollbook_guard.change_window set ends_at = now() - interval '1 second'";
        admin.batch_execute(open).await.expect("a superuser may");
        let owner = as_owner(base).await;
        refused(&owner, &["create table dlr.mine ()"]).await;
        let endless = "select tollbook_guard.open_window(p_minutes => 100000)";
        assert!(
            admin.batch_execute(endless).await.is_err(),
            "four hours at most"
        );
    });
}

#[test]
fn a_job_migrates_in_a_window_that_a_superuser_opened_and_closes_it() {
    on_servers(async |base: Base| {
        let admin = base.admin().await;
        let superuser = BTreeMap::from([("DATABASE_URL", base.url("postgres"))]);
        let variables = BTreeMap::from([("DATABASE_URL", base.url("tollbook_admin"))]);
        let ended = tollbook(&["migrate"], &variables).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.contains("no change window is open"), "{ended:?}");
        let open = "select tollbook_guard.open_window('tollbook_admin')";
        admin.batch_execute(open).await.expect("a superuser may");
        let harm = "grant delete on dlr.delivery_receipts to dlr_svc;
            revoke select on eventlog.head from auditor";
        admin.batch_execute(harm).await.expect("a superuser may");
        let ended = tollbook(&["migrate"], &variables).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.out.contains("revoke DELETE"), "{ended:?}");
        let job = base.client("tollbook_admin").await;
        refused(&job, &["set role tollbook_owner"]).await;
        let again = tollbook(&["migrate"], &variables).await;
        assert_eq!(again.code, Some(1), "the window is closed: {again:?}");
        // A superuser needs nobody to open one.
        let ended = tollbook(&["migrate"], &superuser).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.out.contains("unchanged"), "{ended:?}");
        refused(&admin, &["create table dlr.mine ()"]).await;
    });
}

#[test]
fn nothing_is_migrated_over_what_somebody_changed_until_that_is_looked_at() {
    on_servers(async |base: Base| {
        base.alter("drop policy own_tenant on billing.accounts")
            .await;
        let variables = BTreeMap::from([("DATABASE_URL", base.url("postgres"))]);
        let ended = tollbook(&["migrate"], &variables).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let told = "policy own_tenant on billing.accounts is gone";
        assert!(ended.err.contains(told), "{ended:?}");
        let stays = "select tollbook_guard.record()";
        base.admin().await.batch_execute(stays).await.expect("may");
        let ended = tollbook(&["migrate"], &variables).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
    });
}
