//! What a superuser takes away cannot be refused. It is told: at the next look, by both services, by
//! name, and no receipt or charge waits because of it.

use tests::world::{Service, WorldOptions};
use tokio_postgres::Client;

use crate::fixture::{alter, eventually, place, run};

/// How often the services look here.
const OFTEN: (&str, &str) = ("DB_DEFENCE_CHECK", "1s");

/// What is done, what mends it, and what is told of it.
const HARMS: [(&str, &str, &str); 14] = [
    (
        "alter table eventlog.event disable trigger refuse_update_and_delete",
        "alter table eventlog.event enable always trigger refuse_update_and_delete",
        "trigger refuse_update_and_delete on eventlog.event can be put to sleep",
    ),
    (
        "alter table billing.accounts no force row level security",
        "alter table billing.accounts force row level security",
        "table billing.accounts was owned by tollbook_owner, row-level security, forced",
    ),
    (
        "alter table dlr.orphaned_receipts owner to postgres",
        "alter table dlr.orphaned_receipts owner to tollbook_owner",
        "now it is owned by a superuser",
    ),
    (
        "alter policy own_tenant on billing.accounts using (true)",
        "alter policy own_tenant on billing.accounts using (tenant_id
            = (select nullif(current_setting('app.tenant_id', true), '')::uuid))",
        "policy own_tenant on billing.accounts was ",
    ),
    (
        "create policy mine on dlr.delivery_receipts using (true)",
        "drop policy mine on dlr.delivery_receipts",
        "policy mine on dlr.delivery_receipts was not there after the last migration",
    ),
    (
        "create function eventlog.mine() returns void language sql
            set search_path = pg_catalog, pg_temp as ''",
        "drop function eventlog.mine",
        "function eventlog.mine() was not there after the last migration",
    ),
    (
        "alter function eventlog.enrol_day security invoker",
        "alter function eventlog.enrol_day security definer",
        "function eventlog.enrol_day(p_day date, ",
    ),
    (
        "insert into eventlog.append_permission values ('dlr_svc', 'message', 'Forged', 1)",
        "delete from eventlog.append_permission where type = 'Forged'",
        "rows of eventlog.append_permission was ",
    ),
    (
        "alter event trigger tollbook_guard_drop disable",
        "alter event trigger tollbook_guard_drop enable always",
        "event trigger tollbook_guard_drop does not fire",
    ),
    (
        "grant tollbook_owner to tollbook_admin",
        "revoke tollbook_owner from tollbook_admin",
        "role tollbook_admin is a member of tollbook_owner",
    ),
    (
        "alter role tollbook_owner login",
        "alter role tollbook_owner nologin",
        "tollbook_owner can log in",
    ),
    (
        "alter role auditor bypassrls",
        "alter role auditor nobypassrls",
        "role auditor was login; now it is bypasses row-level security, login",
    ),
    (
        "grant update on eventlog.event to auditor",
        "revoke update on eventlog.event from auditor",
        "auditor may UPDATE on table eventlog.event, which is not declared",
    ),
    (
        "revoke select on eventlog.head from tollbook_admin",
        "grant select on eventlog.head to tollbook_admin",
        "tollbook_admin may not SELECT on table eventlog.head, as is declared",
    ),
];

async fn breaches(what: &str, services: &[Service], one: impl Fn(i64) -> bool) {
    for service in services {
        eventually(what, async || {
            let shown = service.metric("log_defence_breaches").await;
            shown.filter(|shown| one(*shown))
        })
        .await;
    }
}

/// Everything that `tollbook_admin` and superusers do to roles is done to the server of this world.
async fn is_told(database: &Client, services: &[Service], harm: (&str, &str, &str)) {
    let (harm, mend, told) = harm;
    alter(database, harm).await;
    breaches(harm, services, |shown| shown > 0).await;
    for service in services {
        // What is logged is written a moment after it is counted.
        let line = eventually(told, async || {
            let log = service.log();
            log.lines()
                .find(|line| line.contains(told))
                .map(str::to_owned)
        })
        .await;
        assert!(line.contains("database.defence_down"), "{line}");
        assert!(line.contains("\"level\":\"ERROR\""), "{line}");
        let ready = service.get("/ready").await.expect("alive");
        assert!(ready.starts_with("HTTP/1.1 200"), "{harm}: {ready}");
    }
    alter(database, mend).await;
    breaches(mend, services, |shown| shown == 0).await;
}

#[test]
fn a_defence_that_is_taken_away_is_told_by_both_services_until_it_is_back() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let database = world.admin().await.expect("postgres");
        let services = [
            world.service(&[OFTEN]).await.expect("a service"),
            world.billing(&[OFTEN]).await.expect("a service"),
        ];
        for harm in HARMS {
            is_told(&database, &services, harm).await;
        }
        for service in &services {
            eventually("each is told to be back", async || {
                let ups = service.log().matches("database.defence_up").count();
                (ups >= HARMS.len()).then_some(())
            })
            .await;
        }
    });
}

#[test]
fn who_takes_away_what_is_asked_has_taken_away_a_defence() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let database = world.admin().await.expect("postgres");
        let services = [world.service(&[OFTEN]).await.expect("a service")];
        // One that answers with nothing where there is a text, and one that is not there.
        for harm in [
            "create or replace function tollbook_guard.as_it_is(
                out thing text, out state text, out server integer
            ) returns setof record language sql as 'select null::text, null::text, null::integer'",
            "drop function tollbook_guard.as_it_is",
        ] {
            database.batch_execute(harm).await.expect("a superuser may");
            breaches(harm, &services, |shown| shown > 0).await;
        }
        eventually("it is told", async || {
            let log = services[0].log();
            log.contains("cannot be looked at").then_some(())
        })
        .await;
        let ready = services[0].get("/ready").await.expect("it goes on");
        assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    });
}

#[test]
fn what_is_changed_in_a_window_is_no_breach_before_it_is_closed() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let database = world.admin().await.expect("postgres");
        let services = [world.service(&[OFTEN]).await.expect("a service")];
        for change in [
            "select tollbook_guard.open_window('tollbook_admin')",
            "create table dlr.mine ()",
        ] {
            database.batch_execute(change).await.expect("may");
        }
        eventually("the window is seen", async || {
            let shown = services[0].metric("log_change_window_open").await;
            shown.filter(|shown| *shown == 1)
        })
        .await;
        assert_eq!(services[0].metric("log_defence_breaches").await, Some(0));
        let close = "select tollbook_guard.close_window()";
        database.batch_execute(close).await.expect("may");
        breaches(close, &services, |shown| shown == 1).await;
        eventually("it is told", async || {
            let log = services[0].log();
            log.contains("table dlr.mine was not there").then_some(())
        })
        .await;
    });
}
