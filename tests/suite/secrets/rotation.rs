//! Every secret rotated while both services are under load, with a vault as the source: nothing
//! lost, nothing doubled, nobody restarted.

use std::{
    fs,
    time::{Duration, Instant},
};

use hyper::Method;
use serde_json::{Value, json};
use tests::world::{Rest, Service, World, WorldOptions};
use tokio::time::sleep;

use super::{
    collector::Collector,
    source::{CERTIFICATE_LIFE, Secrets, Source},
};
use crate::{
    chain::{self, Chain},
    fixture::{MASTER_KEY, eventually, place, run},
    receipts::fixture::{Desk, receipt},
    rest::fixture::trusting,
};

const MESSAGES: u64 = 6_000;
/// Receipts a second: enough for more than a certificate's life.
const RATE: u32 = 100;
const SECOND_KEY: &str = "2 AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=\n";

/// Both services, and where their secrets come from.
struct Place<'a> {
    world: &'a World,
    source: Source,
    collector: Collector,
    dlr: Service,
    billing: Service,
    rest: Rest,
}

impl<'a> Place<'a> {
    async fn of(world: &'a World) -> Self {
        // The keys that the world's own tokens are signed with.
        let settings = world.billing_variables().await.expect("settings");
        let jwks = fs::read_to_string(&settings["JWT_JWKS_FILE"]).expect("a set");
        let source = Source::open(world, &jwks, MASTER_KEY).await;
        let collector = Collector::open().await;
        let traced = |mut variables: std::collections::BTreeMap<_, _>| {
            let endpoint = collector.address().to_owned();
            variables.insert("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint);
            variables.insert("OTEL_TRACES_SAMPLER_ARG", "1".to_owned());
            variables
        };
        let dlr = world
            .running("dlr", traced(source.settings_of_dlr(world)))
            .await;
        let settings = source.settings_of_billing(world).await;
        let billing = world.running("billing", traced(settings)).await;
        let (dlr, billing) = (dlr.expect("dlr"), billing.expect("billing"));
        let authority = world.nats.authority().expect("an authority");
        let (_, port) = billing
            .rest_address()
            .split_once(':')
            .map(owned)
            .expect("a port");
        let rest = world.rest(&billing).await.expect("an api");
        let rest = rest.reached(
            format!("https://localhost:{port}"),
            trusting(authority, None),
        );
        Self {
            world,
            source,
            collector,
            dlr,
            billing,
            rest,
        }
    }

    fn services(&self) -> [&Service; 2] {
        [&self.dlr, &self.billing]
    }

    /// Waits until both services have told of this.
    async fn told(&self, event: &str) {
        for service in self.services() {
            eventually(event, async || service.log().contains(event).then_some(())).await;
        }
    }

    async fn written(&self, file: &str, text: &str) {
        eventually(&format!("{file} is written"), async || {
            let files = self.source.files(file);
            files.iter().all(|file| file.contains(text)).then_some(())
        })
        .await;
    }
}

fn owned((host, port): (&str, &str)) -> (String, String) {
    (host.to_owned(), port.to_owned())
}

async fn rotate_master_key(place: &mut Place<'_>) {
    let keys = format!("{MASTER_KEY}{SECOND_KEY}");
    place.source.keep_master_keys(&keys).await;
    place.written("master.key", SECOND_KEY.trim()).await;
    let mut job = place.world.variables("tollbook-admin", "tollbook_admin");
    job.insert("MASTER_KEY_FILE", place.source.master_key_file());
    let told = place.world.command(&["keys", "rewrap"], &job).await;
    let told = told.expect("every data key goes under it");
    assert!(told.contains("version 1 is not used"), "{told}");
}

async fn rotate_passwords(place: &mut Place<'_>) {
    let database = place.world.admin().await.expect("postgres");
    let pids = "select pid from pg_stat_activity where usename in ('dlr_svc', 'billing_svc')";
    let old = database.query(pids, &[]).await.expect("reads");
    let old: Vec<i32> = old.iter().map(|row| row.get(0)).collect();
    place.source.rotate_password(&database).await;
    place.told("database.credentials_rotated").await;
    // As the vault revokes what it gave out before.
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity where pid = any($1)";
    database.query(cut, &[&old]).await.expect("cut");
}

async fn rotate_tokens(place: &mut Place<'_>) {
    let heard = async |place: &Place<'_>, secrets: &Secrets| {
        eventually("an export", async || {
            (place.collector.heard(secrets.token()) > 0).then_some(())
        })
        .await;
    };
    for round in 0..2 {
        if round == 1 {
            place.source.rotate_tokens().await;
        }
        for secrets in [&place.source.dlr, &place.source.billing] {
            // What nobody calls makes no spans.
            status(&place.rest).await;
            heard(place, secrets).await;
        }
    }
}

/// What somebody with a good token hears.
async fn status(rest: &Rest) -> u16 {
    let admin = rest.as_billing_admin();
    let asked = admin.call(Method::GET, "/v1/admin/held-charges?limit=1", None);
    asked.await.expect("an answer").status
}

async fn rotate_token_keys(place: &Place<'_>) -> Rest {
    let set = |folder: &str| -> Value {
        let path = place.world.path(folder).join("jwks.json");
        serde_json::from_slice(&fs::read(path).expect("a set")).expect("json")
    };
    let new = place.rest.with_keys(&place.world.path("keys-2")).await;
    let new = new.expect("keys");
    assert_eq!((status(&place.rest).await, status(&new).await), (200, 401));
    let (first, second) = (set("keys"), set("keys-2"));
    let both = [&first["keys"][0], &second["keys"][0]];
    place.source.keep_jwks(&json!({ "keys": both })).await;
    eventually("the new key counts", async || {
        (status(&new).await == 200).then_some(())
    })
    .await;
    assert_eq!(status(&place.rest).await, 200, "the old one, too");
    place.source.keep_jwks(&second).await;
    eventually("the old key is gone", async || {
        (status(&place.rest).await == 401).then_some(())
    })
    .await;
    assert_eq!(status(&new).await, 200);
    new
}

/// Waits until the certificates that everything began with have ended, and cuts every connection
/// to NATS, so that whoever comes back shows what it has now.
async fn outlive_certificates(place: &Place<'_>, begun: Instant) {
    place.told("nats.certificate_rotated").await;
    let rotated = "http.certificate_rotated";
    eventually(rotated, async || {
        place.billing.log().contains(rotated).then_some(())
    })
    .await;
    let life = Duration::from_secs(CERTIFICATE_LIFE + 1);
    sleep(life.saturating_sub(begun.elapsed())).await;
    place.world.nats.restart().await.expect("nats is back");
    for service in place.services() {
        service
            .ready(Duration::from_mins(1))
            .await
            .expect("is back");
    }
}

#[test]
fn every_secret_rotates_under_load_and_nothing_is_lost_or_doubled_or_restarted() {
    run(async {
        let own = place(WorldOptions::default()).await;
        let begun = Instant::now();
        let mut place = Place::of(&own.world).await;
        let pids = place.services().map(Service::pid);
        let chain = Chain::agreed(&place.rest, 38, MESSAGES).await;
        let sending = chain.insist(&own.world, RATE);
        let rotating = async {
            rotate_master_key(&mut place).await;
            rotate_passwords(&mut place).await;
            rotate_tokens(&mut place).await;
            let rest = rotate_token_keys(&place).await;
            outlive_certificates(&place, begun).await;
            eprintln!("rotated everything after {:?}", begun.elapsed());
            rest
        };
        let (expected, rest) = tokio::join!(sending, rotating);
        let report = chain::balances(&own.world, &rest, &expected).await;
        assert_eq!((report.lost, report.doubled, report.wrong), (0, 0, 0));
        assert_eq!(
            place.services().map(Service::pid),
            pids,
            "the same processes"
        );
        for service in place.services() {
            let log = service.log();
            assert_eq!(log.matches("service.started").count(), 1);
            assert!(!place.source.is_told_in(&log), "a secret is told");
        }
        let Place { dlr, .. } = place;
        new_keys_are_wrapped_by_the_new_master_key(own.world, dlr).await;
    });
}

/// A tenant that nobody knew before gets a data key under the newest master key, as all have.
async fn new_keys_are_wrapped_by_the_new_master_key(world: World, dlr: Service) {
    let desk = Desk::of(world, dlr).await;
    let sms = desk.message().await;
    let sent = desk.send(&receipt(&sms)).await;
    desk.done(sent).await;
    let sql = "select master_key, count(*) from eventlog.data_key group by 1 order by 1";
    let rows = desk.database.query(sql, &[]).await.expect("reads");
    let versions: Vec<i16> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(versions, [2]);
}
