//! What accounts are, and what the functions and policies of the log let them do. What is granted to
//! them is in `rights`.

use eventstore::{EventStore, Outcome, contract::samples};
use schema::{Category, Event, Position, StreamId};

use crate::fixture::{ACCOUNTS, Base, append, base, dense, kinds, position_of, run, unique};

#[test]
fn no_account_owns_anything_or_is_more_than_an_account() {
    run(async {
        let admin = base().await.admin().await;
        for role in ACCOUNTS {
            let row = admin
                .query_one(include_str!("standing.sql"), &[&role])
                .await
                .expect("the role is there");
            assert!(!row.get::<_, bool>(0), "{role} has an attribute too many");
            assert_eq!(row.get::<_, i64>(1), 0, "{role} owns something");
            let groups: Vec<String> = row.get(2);
            assert_eq!(groups, [] as [&str; 0], "{role} is a member");
        }
    });
}

#[test]
fn functions_that_run_as_their_owner_have_a_fixed_search_path_and_are_not_for_everyone() {
    run(async {
        let admin = base().await.admin().await;
        let rows = admin
            .query(include_str!("functions.sql"), &[])
            .await
            .expect("reads");
        assert!(rows.len() >= 5, "append, two for checkpoints, two to enrol");
        for row in rows {
            let name: String = row.get(0);
            assert!(row.get::<_, bool>(1), "{name} looks elsewhere first");
            assert!(!row.get::<_, bool>(2), "{name} is for everyone");
        }
        let views = "select c.relname::text from pg_class c
            where c.relkind = 'v' and c.relnamespace in ('dlr'::regnamespace,
                'eventlog'::regnamespace)
            and not coalesce('security_invoker=true' = any (c.reloptions), false)";
        let bare = admin.query(views, &[]).await.expect("reads");
        assert!(bare.is_empty(), "a view runs as its owner");
    });
}

#[test]
fn a_service_appends_only_its_own_events_to_their_own_kinds_of_streams() {
    run(async {
        let base = base().await;
        let mut recorded = 0;
        for role in ["dlr_svc", "billing_svc", "auditor", "tollbook_admin"] {
            let log = base.log(role);
            for ((name, owner, home), category) in
                kinds::homes().flat_map(|home| Category::ALL.map(|category| (home, category)))
            {
                let stream = StreamId {
                    category,
                    id: unique(),
                };
                let wanted = kinds::of_type(name, stream, 0, 1);
                let own = owner == role && home == category;
                match append(&log, wanted).await {
                    Outcome::Recorded { .. } => {
                        assert!(own, "{role} wrote {name} to {category:?}");
                        recorded += 1;
                    }
                    outcome => {
                        assert!(!own, "{role}: {name} in {category:?}");
                        assert_eq!(outcome, Outcome::Refused, "{role}: {name}");
                    }
                }
            }
        }
        assert_eq!(dense(&base.admin().await).await, recorded);
        let types = i64::try_from(Event::TYPES.len()).expect("a small number");
        assert_eq!(recorded, types, "one of each type");
    });
}

#[test]
fn every_version_of_every_type_of_event_is_granted_to_one_role_and_nothing_else_is() {
    run(async {
        let admin = base().await.admin().await;
        let sql =
            "select role::text, category, type, schema_version from eventlog.append_permission";
        let mut granted: Vec<_> = admin
            .query(sql, &[])
            .await
            .expect("reads")
            .iter()
            .map(|row| (row.get(2), row.get(3), row.get(0), row.get(1)))
            .collect::<Vec<(String, i16, String, String)>>();
        granted.sort();
        let mut due: Vec<_> = Event::TYPES
            .iter()
            .flat_map(|(name, today)| (1..=*today).map(move |version| (*name, version)))
            .map(|(name, version)| {
                let mut homes = kinds::homes();
                let home = homes.find(|home| home.0 == name);
                let (_, role, category) = home.expect("each type has one");
                let category = category.as_str().to_owned();
                (name.to_owned(), version, role.to_owned(), category)
            })
            .collect();
        due.sort();
        assert_eq!(
            granted, due,
            "eventlog.append_permission has a line for each"
        );
    });
}

#[test]
fn l2_l3_an_append_whose_events_do_not_fit_it_is_refused_whole() {
    run(async {
        let base = base().await;
        let client = base.client("dlr_svc").await;
        let sql = include_str!("uneven.sql");
        let ways: [&[i32]; 7] = [&[1], &[], &[1, 1], &[2, 1], &[2, 2], &[1, 2, 2], &[1, 3]];
        for way in ways {
            let answer = client.query_one(sql, &[&unique(), &unique(), &way]).await;
            let error = answer.expect_err("events that belong nowhere");
            let said = error.as_db_error().map(|error| error.message().to_owned());
            assert!(said.is_some(), "{way:?}: {error:?}");
        }
        assert_eq!(dense(&base.admin().await).await, 0, "nothing went in");
        let fits: &[i32] = &[1, 2];
        let answer = client.query_one(sql, &[&unique(), &unique(), &fits]).await;
        assert_eq!(answer.expect("one event each").get::<_, i64>(0), 0);
        assert_eq!(dense(&base.admin().await).await, 2, "the log goes on");
    });
}

/// How many events of the log a role sees, by plain SQL and as a reader.
async fn sees(base: Base, role: &str) -> (i64, usize) {
    let sql = "select count(*) from eventlog.event";
    let row = base.client(role).await.query_one(sql, &[]).await;
    let read = base
        .log(role)
        .read_after(Position::BEGINNING, 100)
        .await
        .expect("reads");
    assert_eq!(
        read.through.0, 3,
        "what is not seen is passed, not waited for"
    );
    (row.expect("reads").get(0), read.events.len())
}

#[test]
fn a_service_reads_only_its_own_kinds_of_streams() {
    run(async {
        let base = base().await;
        let dlr = base.log("dlr_svc");
        assert_eq!(
            position_of(&append(&dlr, samples::append(samples::fresh(), 0, 1)).await),
            1
        );
        let charge = kinds::append_in(Category::Charge, unique(), 0, 2);
        assert_eq!(
            position_of(&append(&base.log("billing_svc"), charge.clone()).await),
            2
        );
        assert_eq!(sees(base, "dlr_svc").await, (1, 1));
        assert_eq!(sees(base, "billing_svc").await, (2, 2));
        assert_eq!(sees(base, "auditor").await, (3, 3));
        assert_eq!(sees(base, "tollbook_admin").await, (3, 3));
        let streams = dlr.read_streams(&[charge.stream]).await.expect("reads");
        assert_eq!(streams, [vec![]], "a foreign stream looks empty");
    });
}
