//! The database password: rotated, half written, gone, wrong, and later than the role's.

use std::{fs, path::PathBuf};

use tests::{
    stack::{PgVersion, certs::Authority},
    world::{DATABASE, Service, World, WorldOptions},
};

use crate::{
    fixture::{OwnWorld, eventually, place, run},
    receipts::fixture::{Desk, receipt},
};

const ROTATED: &str = "database.credentials_rotated";
const UNUSABLE: &str = "database.credentials_unusable";
const ROLE: &str = "dlr_svc";

/// The address with another password.
fn address(world: &World, password: &str) -> String {
    let url = world.postgres.url(ROLE, DATABASE);
    let (before, after) = url.split_once('@').expect("a login");
    let (login, _) = before.rsplit_once(':').expect("a password");
    format!("{login}:{password}@{after}")
}

/// A desk whose service reads its address from a file.
async fn desk(place: OwnWorld) -> (Desk, PathBuf) {
    let world = place.world;
    let file = world.path("database-url");
    fs::write(&file, world.postgres.url(ROLE, DATABASE)).expect("written");
    let mut variables = world.variables("dlr-processor", ROLE);
    variables.remove("DATABASE_URL");
    variables.insert("DATABASE_URL_FILE", file.display().to_string());
    let service = world.running("dlr", variables).await.expect("a service");
    (Desk::of(world, service).await, file)
}

async fn alter(desk: &Desk, password: &str) {
    let sql = format!("alter role {ROLE} password '{password}'");
    desk.database.batch_execute(&sql).await.expect("altered");
}

/// Ends the connections of the role that began so long ago or earlier; says how many.
async fn cut(desk: &Desk) -> i64 {
    let sql = "select count(pg_terminate_backend(pid)) from pg_stat_activity where usename = $1";
    let row = desk.database.query_one(sql, &[&ROLE]).await.expect("cut");
    row.get(0)
}

async fn told(service: &Service, event: &str, times: usize) {
    eventually(&format!("{event} {times} times"), async || {
        (service.log().matches(event).count() >= times).then_some(())
    })
    .await;
}

async fn works(desk: &Desk) {
    let sms = desk.message().await;
    let sent = desk.send(&receipt(&sms)).await;
    desk.done(sent).await;
}

#[test]
fn a_rotated_password_is_used_and_connections_made_with_the_old_one_are_given_up() {
    run(async {
        let (desk, file) = desk(place(WorldOptions::default()).await).await;
        works(&desk).await;
        let old = "select pid from pg_stat_activity where usename = $1";
        let old = desk.database.query(old, &[&ROLE]).await.expect("reads");
        let old: Vec<i32> = old.iter().map(|row| row.get(0)).collect();
        assert!(old.len() > 1, "a pool");
        alter(&desk, "second").await;
        fs::write(&file, address(&desk.world, "second")).expect("written");
        told(&desk.service, ROTATED, 1).await;
        works(&desk).await;
        eventually("the old connections are given up", async || {
            let sql = "select count(*) from pg_stat_activity where pid = any($1)";
            let row = desk.database.query_one(sql, &[&old]).await.expect("reads");
            (row.get::<_, i64>(0) == 0).then_some(())
        })
        .await;
        let log = desk.service.log();
        assert!(!log.contains("second") && !log.contains(UNUSABLE));
    });
}

#[test]
fn a_file_of_no_use_is_told_once_and_what_it_held_before_is_used() {
    run(async {
        let (desk, file) = desk(place(WorldOptions::default()).await).await;
        let good = fs::read_to_string(&file).expect("readable");
        let half = good[..good.len() / 2].to_owned();
        let wrong = address(&desk.world, "hunter2");
        for (times, content) in (1..).zip([Some(half), Some(wrong), Some(String::new()), None]) {
            match content {
                Some(content) => fs::write(&file, content).expect("written"),
                None => fs::remove_file(&file).expect("removed"),
            }
            told(&desk.service, UNUSABLE, times).await;
            // Whoever connects now is let in as before.
            assert!(cut(&desk).await > 0);
            works(&desk).await;
            let log = desk.service.log();
            assert_eq!(log.matches(UNUSABLE).count(), times, "once for each");
            assert!(!log.contains("hunter2") && !log.contains(&good));
        }
        fs::write(&file, good).expect("written");
        works(&desk).await;
        assert!(!desk.service.log().contains(ROTATED), "it is what it was");
    });
}

#[test]
fn a_login_that_is_refused_waits_a_moment_for_the_file_that_comes_after_it() {
    run(async {
        let (desk, file) = desk(place(WorldOptions::default()).await).await;
        works(&desk).await;
        let pid = desk.service.pid();
        alter(&desk, "second").await;
        assert!(cut(&desk).await > 0, "nobody is connected");
        let sms = desk.message().await;
        let sent = desk.send(&receipt(&sms)).await;
        eventually("a refused login", async || {
            let failing = desk.service.get("/ready").await.ok()?;
            failing.starts_with("HTTP/1.1 503").then_some(())
        })
        .await;
        fs::write(&file, address(&desk.world, "second")).expect("written");
        desk.done(sent).await;
        assert_eq!(desk.service.pid(), pid, "the same process");
    });
}

#[test]
fn authorities_of_no_use_are_told_once_and_those_from_before_are_trusted() {
    if !PgVersion::V15.available() {
        eprintln!("skipped: apt-get install postgresql-15 lets this run");
        return;
    }
    run(async {
        let options = WorldOptions {
            postgres: PgVersion::V15,
            ..WorldOptions::default()
        };
        let place = place(options).await;
        let good = place.world.postgres.ca_pem().expect("TLS").to_owned();
        let file = place.world.path("mine.pem");
        fs::write(&file, &good).expect("written");
        let named = file.display().to_string();
        let desk = Desk::with(place.world, &[("DATABASE_CA_FILE", &named)]).await;
        let other = Authority::new("other").expect("made");
        let half = &good[..good.len() / 2];
        for (times, content) in (1..).zip([half, other.pem(), ""]) {
            fs::write(&file, content).expect("written");
            told(&desk.service, UNUSABLE, times).await;
            assert!(cut(&desk).await > 0);
            works(&desk).await;
            let log = desk.service.log();
            assert_eq!(log.matches(UNUSABLE).count(), times, "once for each");
        }
        // Another one beside it is followed.
        fs::write(&file, format!("{}{good}", other.pem())).expect("written");
        told(&desk.service, ROTATED, 1).await;
        works(&desk).await;
    });
}
