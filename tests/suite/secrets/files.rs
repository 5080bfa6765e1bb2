//! Files in the middle of a rotation: links that are swapped, halves, nothing at all.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use hyper::Method;
use tests::{
    stack::certs::Certificate,
    world::{DATABASE, Rest, Service, WorldOptions},
};

use crate::{
    fixture::{MASTER_KEY, eventually, place, run},
    receipts::fixture::{Desk, Sms, receipt, sms},
    rest::fixture::trusting,
};

/// A folder as Kubernetes mounts a secret: names lead through `..data` to a folder of the day.
struct Mounted(PathBuf);

impl Mounted {
    fn new(folder: PathBuf, day: &str, files: &[(&str, &str)]) -> Self {
        fs::create_dir(&folder).expect("a folder");
        let mounted = Self(folder);
        mounted.swap(day, files);
        for (name, _) in files {
            let through = Path::new("..data").join(name);
            symlink(through, mounted.0.join(name)).expect("a link");
        }
        mounted
    }

    fn swap(&self, day: &str, files: &[(&str, &str)]) {
        let folder = self.0.join(day);
        fs::create_dir(&folder).expect("a folder");
        for (name, content) in files {
            fs::write(folder.join(name), content).expect("written");
        }
        let fresh = self.0.join("..data_tmp");
        symlink(day, &fresh).expect("a link");
        fs::rename(fresh, self.0.join("..data")).expect("swapped");
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

/// What a service reads, by the names of the files.
fn files<'a>(certificate: &'a Certificate, url: &'a str) -> [(&'static str, &'a str); 3] {
    [
        ("tls.crt", &certificate.cert),
        ("tls.key", &certificate.key),
        ("url", url),
    ]
}

async fn told(service: &Service, event: &str, times: usize) {
    eventually(&format!("{event} {times} times"), async || {
        (service.log().matches(event).count() >= times).then_some(())
    })
    .await;
}

#[test]
fn a_link_that_is_swapped_above_the_files_is_followed() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = place.world;
        let authority = world.nats.authority().expect("an authority");
        let [first, second] = [(); 2].map(|()| authority.client("dlr-processor").expect("made"));
        let url = world.postgres.url("dlr_svc", DATABASE);
        // The same database, said otherwise.
        let other = format!("{url}?connect_timeout=4");
        let first = files(&first, &url);
        let second = files(&second, &other);
        let mounted = Mounted::new(world.path("mounted"), "..monday", &first);
        let mut variables = world.variables("dlr-processor", "dlr_svc");
        variables.remove("DATABASE_URL");
        variables.insert("DATABASE_URL_FILE", mounted.path("url"));
        variables.insert("NATS_CERT_FILE", mounted.path("tls.crt"));
        variables.insert("NATS_KEY_FILE", mounted.path("tls.key"));
        let service = world.running("dlr", variables).await.expect("a service");
        let desk = Desk::of(world, service).await;
        mounted.swap("..tuesday", &second);
        told(&desk.service, "nats.certificate_rotated", 1).await;
        told(&desk.service, "database.credentials_rotated", 1).await;
        let sms = desk.message().await;
        let sent = desk.send(&receipt(&sms)).await;
        desk.done(sent).await;
    });
}

async fn is_settled(desk: &Desk, sms: &Sms) -> bool {
    let sql = "select dlr_status is not null from orch.sms_messages where message_id = $1";
    let row = desk.database.query_one(sql, &[&sms.id]).await;
    row.expect("reads").get(0)
}

/// A message of the same tenant.
async fn message_of(desk: &Desk, known: &Sms) -> Sms {
    let sms = Sms {
        tenant: known.tenant,
        account: known.account,
        ..sms()
    };
    desk.enqueue(&sms).await;
    sms
}

#[test]
fn while_the_master_key_file_is_of_no_use_new_tenants_wait_and_nobody_else() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let path = place.world.path("mine.key");
        fs::write(&path, MASTER_KEY).expect("written");
        let named = path.display().to_string();
        let desk = Desk::with(place.world, &[("MASTER_KEY_FILE", &named)]).await;
        let pid = desk.service.pid();
        let known = desk.message().await;
        let sent = desk.send(&receipt(&known)).await;
        desk.done(sent).await;
        let (cut, _) = MASTER_KEY.split_at(20);
        let another = MASTER_KEY.replacen('1', "9", 1);
        let bad = [
            Some(cut),
            Some("hunter2\n"),
            Some(""),
            Some(another.as_str()),
            None,
        ];
        for content in bad {
            match content {
                Some(content) => fs::write(&path, content).expect("written"),
                None => fs::remove_file(&path).expect("removed"),
            }
            let waits = desk.message().await;
            desk.send(&receipt(&waits)).await;
            let goes_on = message_of(&desk, &known).await;
            let sent = desk.send(&receipt(&goes_on)).await;
            eventually("the known tenant's is settled", async || {
                is_settled(&desk, &goes_on).await.then_some(())
            })
            .await;
            assert!(
                !is_settled(&desk, &waits).await,
                "{content:?}: sealed under what?"
            );
            fs::write(&path, MASTER_KEY).expect("written");
            desk.done(sent).await;
            assert!(is_settled(&desk, &waits).await);
        }
        let log = desk.service.log();
        // Version 9 can be read; it only is no version of this database.
        assert_eq!(log.matches("secret.unreadable").count(), 4, "once each");
        assert_eq!(desk.service.pid(), pid, "the same process");
        let (_, key) = MASTER_KEY.trim().split_once(' ').expect("a key");
        assert!(!log.contains(&key[..8]) && !log.contains("hunter2"));
    });
}

/// What somebody with a good token hears.
async fn status(rest: &Rest) -> u16 {
    let admin = rest.as_billing_admin();
    let asked = admin.call(Method::GET, "/v1/admin/held-charges?limit=1", None);
    asked.await.expect("an answer").status
}

#[test]
fn halves_of_the_files_of_the_rest_api_are_told_once_and_what_they_held_counts() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let authority = world.nats.authority().expect("an authority");
        let server = authority.server().expect("made");
        let settings = world.billing_variables().await.expect("settings");
        let keys = fs::read_to_string(&settings["JWT_JWKS_FILE"]).expect("a set");
        let mut variables = settings.clone();
        let whole = [
            ("JWT_JWKS_FILE", "jwks.json", keys.as_str()),
            ("BILLING_TLS_CERT_FILE", "rest.crt", &server.cert),
            ("BILLING_TLS_KEY_FILE", "rest.key", &server.key),
            ("BILLING_TLS_CLIENT_CA_FILE", "clients.pem", authority.pem()),
        ];
        for (name, file, content) in whole {
            fs::write(world.path(file), content).expect("written");
            variables.insert(name, world.path(file).display().to_string());
        }
        let billing = world.running("billing", variables).await.expect("billing");
        let rest = world.rest(&billing).await.expect("an api");
        let address = billing.rest_address().replace("127.0.0.1", "localhost");
        let reach = || rest.reached(format!("https://{address}"), trusting(authority, None));
        assert_eq!(status(&reach()).await, 200);
        for (number, (_, file, content)) in whole.into_iter().enumerate() {
            fs::write(world.path(file), &content[..content.len() / 2]).expect("written");
            let event = if number == 0 {
                "identity.keys_unreadable"
            } else {
                "http.certificate_unusable"
            };
            told(&billing, event, number.max(1)).await;
            assert_eq!(status(&reach()).await, 200, "{file}");
            assert_eq!(
                billing.log().matches(event).count(),
                number.max(1),
                "{file}"
            );
            fs::write(world.path(file), content).expect("written");
        }
    });
}
