//! `tollbook keys expire`: what receipts without a message say of people is gone after a while.

use std::collections::{BTreeMap, HashSet};

use eventstore::{
    keyring::{Keyring, Subject},
    seal::KEY_LEN,
};
use schema::TenantId;
use tests::{orchestrator, world::WorldOptions};
use time::Date;
use tokio_postgres::Client;

use super::{file, job, keyring, on_each_postgres, wrapped};
use crate::{
    fixture::{MASTER_KEY, eventually, place, run, tollbook, unique},
    receipts::fixture::{Desk, Sms, receipt, settled_as, sms},
};

/// The days that have keys, counted back from today in the database.
async fn days(admin: &Client) -> Vec<i32> {
    let sql = "select (now() at time zone 'UTC')::date - day from eventlog.data_key
        where day is not null order by 1";
    let rows = admin.query(sql, &[]).await.expect("reads");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Gives days long ago a key each.
async fn keys_of_days(admin: &Client, ago: &[i32]) {
    for days in ago {
        let sql = "select (now() at time zone 'UTC')::date - $1::int4";
        let day: Date = admin.query_one(sql, &[days]).await.expect("reads").get(0);
        let bytes = wrapped(MASTER_KEY, Subject::Day(day), &[7; KEY_LEN]).bytes;
        let sql = "insert into eventlog.data_key (day, wrapped, master_key) values ($1, $2, 1)";
        admin.execute(sql, &[&day, &bytes]).await.expect("made");
    }
}

#[test]
fn keys_of_days_are_destroyed_when_they_are_old_enough_and_no_others_are() {
    on_each_postgres(async |base, folder| {
        let admin = base.admin().await;
        let old = file(&folder, &[MASTER_KEY]);
        let keys = keyring(base, &old);
        let tenant = TenantId(unique());
        keys.of_tenant(tenant).await.expect("made");
        keys_of_days(&admin, &[0, 9, 10, 11, 12, 29, 30, 31, 40]).await;
        let mut variables = job(base, "tollbook_admin", &old);
        variables.remove("MASTER_KEY_FILE");
        // A day is over at its end, so the key of thirty days ago has not been for thirty days.
        let done = tollbook(&["keys", "expire"], &variables).await;
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(
            done.out.starts_with("2 data keys of days destroyed\n"),
            "{done:?}"
        );
        assert_eq!(days(&admin).await, [0, 9, 10, 11, 12, 29, 30]);
        let again = tollbook(&["keys", "expire"], &variables).await;
        assert_eq!(again.out, "0 data keys of days destroyed\n");

        variables.insert("DLR_ORPHAN_KEY_AGE", "10d".to_owned());
        let done = tollbook(&["keys", "expire"], &variables).await;
        assert!(
            done.out.starts_with("4 data keys of days destroyed\n"),
            "{done:?}"
        );
        assert_eq!(days(&admin).await, [0, 9, 10]);
        let fresh = keyring(base, &old).of_tenant(tenant).await.expect("known");
        assert!(fresh.key.is_ok(), "tenants keep theirs");
        let sql = "select count(*) from eventlog.destroyed_key";
        let noted: i64 = admin.query_one(sql, &[]).await.expect("reads").get(0);
        assert_eq!(noted, 6, "each is noted");
    });
}

#[test]
fn keys_of_days_are_kept_for_as_long_as_orphans_are_matched_and_from_every_other_role() {
    on_each_postgres(async |base, folder| {
        let admin = base.admin().await;
        keys_of_days(&admin, &[50]).await;
        let old = file(&folder, &[MASTER_KEY]);
        let with = |role, more: &[(&'static str, &str)]| {
            let mut variables: BTreeMap<_, _> = job(base, role, &old);
            variables.remove("MASTER_KEY_FILE");
            let more = more
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()));
            variables.extend(more);
            variables
        };
        for less in [
            &[("DLR_ORPHAN_KEY_AGE", "239h")][..],
            &[("DLR_ORPHAN_KEY_AGE", "30d"), ("DLR_MATCH_WINDOW", "28d")],
            &[("DLR_ORPHAN_KEEP", "24d")],
        ] {
            let done = tollbook(&["keys", "expire"], &with("tollbook_admin", less)).await;
            assert_eq!(done.code, Some(2), "{done:?}");
            assert!(
                done.err.contains("DLR_ORPHAN_KEY_AGE: must be at least"),
                "{done:?}"
            );
        }
        for role in ["dlr_svc", "billing_svc", "auditor"] {
            let done = tollbook(&["keys", "expire"], &with(role, &[])).await;
            assert_eq!(done.code, Some(1), "{done:?}");
            assert!(done.err.contains("use tollbook_admin"), "{done:?}");
        }
        assert_eq!(days(&admin).await, [50]);
    });
}

/// Orphans under keys of a day that was forty days ago, as far as the database knows.
async fn long_ago(desk: &Desk) {
    let sql = "update eventlog.data_key set day = day - 40 where day is not null";
    assert_eq!(desk.database.execute(sql, &[]).await.expect("aged"), 1);
}

/// Sealed personal data in the row of a message's receipt: source, destination.
async fn shown(desk: &Desk, message: &Sms) -> (bool, bool) {
    let sql = "select source_addr is not null, dest_addr is not null
        from dlr.delivery_receipts where message_id = $1";
    let row = desk.database.query_one(sql, &[&message.id]).await;
    let row = row.expect("one row");
    (row.get(0), row.get(1))
}

#[test]
fn an_orphan_whose_key_is_destroyed_is_matched_by_the_service_without_its_data() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let desk = Desk::in_world(place.world).await;
        let [matched, by_service] = [sms(), sms()];
        for nobody in [&matched, &by_service] {
            desk.receives(&receipt(nobody)).await;
        }
        // What was matched before is sealed for its tenant and stays readable.
        desk.enqueue(&matched).await;
        eventually("the orphan is healed", async || {
            let orphans = desk.orphans(&matched).await;
            orphans.iter().all(|(_, resolved)| *resolved).then_some(())
        })
        .await;
        long_ago(&desk).await;
        let admin = desk.world.variables("tollbook-admin", "tollbook_admin");
        let done = desk.world.command(&["keys", "expire"], &admin).await;
        assert!(
            done.expect("done")
                .starts_with("1 data keys of days destroyed\n")
        );
        eventually("the service has forgotten it", async || {
            desk.service
                .log()
                .contains("keyring.key_forgotten")
                .then_some(())
        })
        .await;

        desk.enqueue(&by_service).await;
        eventually("the orphan is healed", async || {
            let orphans = desk.orphans(&by_service).await;
            orphans.iter().all(|(_, resolved)| *resolved).then_some(())
        })
        .await;
        desk.done(0).await;
        let settled = settled_as("DELIVRD", "DELIVERED");
        for message in [&matched, &by_service] {
            assert_eq!(desk.effects(message).await, settled);
        }
        assert_eq!(shown(&desk, &matched).await, (false, true));
        assert_eq!(shown(&desk, &by_service).await, (false, false));
        let lost = desk.service.metric("dlr_orphans_without_data_total").await;
        assert_eq!(lost, Some(1));
        let log = desk.service.log();
        let told: HashSet<_> = log
            .lines()
            .filter(|l| l.contains("orphan_without_data"))
            .collect();
        assert_eq!(told.len(), 1);
        assert!(
            told.iter()
                .all(|line| line.contains(&by_service.id.to_string()))
        );
        assert!(!log.contains(&by_service.to[1..]), "a number in the log");
    });
}

#[test]
fn an_orphan_of_long_ago_whose_key_is_destroyed_is_matched_by_reconcile() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let desk = Desk::in_world(place.world).await;
        let nobody = sms();
        desk.receives(&receipt(&nobody)).await;
        long_ago(&desk).await;
        let Desk {
            world,
            service,
            database,
            ..
        } = desk;
        assert!(service.terminate().await.expect("asked"), "it ends well");
        let admin = world.variables("tollbook-admin", "tollbook_admin");
        let done = world.command(&["keys", "expire"], &admin).await;
        assert!(done.expect("done").starts_with("1 data keys of days"));
        let written = orchestrator::enqueue(&database, &[nobody.row()]).await;
        written.expect("the orchestrator may");
        let mut variables = world.variables("dlr-processor", "dlr_svc");
        variables.insert("PROBE_PORT", "0".to_owned());
        let said = world.command(&["reconcile"], &variables).await;
        let said = said.expect("it does not stop");
        assert!(said.contains("1 orphans matched"), "{said}");
        assert!(said.contains("dlr.orphan_without_data"), "{said}");
    });
}
