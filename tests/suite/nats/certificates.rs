//! Certificates that are not what they must be: refused in words, and survived by whoever runs.

use std::{fs, path::PathBuf};

use tempfile::TempDir;
use tests::{
    stack::{
        self, ClientFiles,
        certs::{Authority, Certificate, self_signed_client},
    },
    world::{Service, World, WorldOptions},
};

use time::Duration;

use crate::{
    fixture::{Ended, OwnWorld, PATIENCE, eventually, place, run, tollbook},
    receipts::fixture::{Desk, receipt},
};

const USER: &str = "dlr-processor";
/// What a service says when TLS refuses, on whichever side.
const LOOK_AT_FILES: &str = "look at NATS_CA_FILE, NATS_CERT_FILE and NATS_KEY_FILE";
const NOT_OURS: &str = "NATS_CERT_FILE: is not the certificate of dlr-processor";

/// A folder with a service's certificate in it.
struct Folder(TempDir);

impl Folder {
    fn with(world: &World, certificate: &Certificate) -> Self {
        let folder = Self(TempDir::new().expect("a folder"));
        let ca = fs::read(&files(world, USER).ca).expect("an authority");
        fs::write(folder.path("ca.pem"), ca).expect("written");
        folder.put(certificate);
        folder
    }

    /// Puts another certificate in its place, file by file, as a careless hand does.
    fn put(&self, certificate: &Certificate) {
        fs::write(self.path("tls.crt"), &certificate.cert).expect("written");
        fs::write(self.path("tls.key"), &certificate.key).expect("written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn settings(&self) -> [(&'static str, String); 3] {
        [
            ("NATS_CA_FILE", "ca.pem"),
            ("NATS_CERT_FILE", "tls.crt"),
            ("NATS_KEY_FILE", "tls.key"),
        ]
        .map(|(name, file)| (name, self.path(file).display().to_string()))
    }
}

fn files<'a>(world: &'a World, user: &str) -> &'a ClientFiles {
    world.nats.client_files(user).expect("files")
}

fn authority(world: &World) -> &Authority {
    world.nats.authority().expect("an authority")
}

/// `tollbook dlr` with these files, until it ends; it must end by itself.
async fn ended(place: &OwnWorld, folder: &Folder) -> Ended {
    let mut variables = place.world.variables(USER, "dlr_svc");
    variables.extend(folder.settings());
    variables.insert("PROBE_PORT", "0".to_owned());
    tollbook(&["dlr"], &variables).await
}

/// The lines of a key, which nobody may ever say.
fn is_told(key: &str, said: &str) -> bool {
    let lines = key.lines().filter(|line| !line.starts_with('-'));
    lines.into_iter().any(|line| said.contains(line))
}

#[test]
fn a_service_whose_certificate_is_refused_ends_and_says_where_to_look() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let (ours, other) = (
            authority(&place.world),
            Authority::new("other").expect("made"),
        );
        let cases = [
            ("of another authority", other.client(USER), 1, LOOK_AT_FILES),
            ("expired", ours.expired_client(USER), 1, LOOK_AT_FILES),
            ("self-signed", self_signed_client(USER), 1, LOOK_AT_FILES),
            (
                "another service's",
                ours.client("billing-service"),
                2,
                NOT_OURS,
            ),
            ("a server's", ours.server(), 2, NOT_OURS),
            (
                "of the right common name",
                ours.client_called(USER, &["smpp-connector"]),
                2,
                NOT_OURS,
            ),
        ];
        for (what, certificate, code, told) in cases {
            let certificate = certificate.expect("made");
            let ended = ended(&place, &Folder::with(&place.world, &certificate)).await;
            let said = format!("{}{}", ended.out, ended.err);
            assert_eq!(ended.code, Some(code), "{what}: {said}");
            assert!(said.contains(told), "{what}: {said}");
            assert!(!is_told(&certificate.key, &said), "{what}: the key is told");
        }
    });
}

#[test]
fn a_service_without_a_certificate_ends_and_says_so() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let mut variables = place.world.variables(USER, "dlr_svc");
        variables.remove("NATS_CERT_FILE");
        variables.remove("NATS_KEY_FILE");
        let ended = tollbook(&["dlr"], &variables).await;
        let said = format!("{}{}", ended.out, ended.err);
        assert_eq!(ended.code, Some(1), "{said}");
        assert!(said.contains("connecting to nats"), "{said}");
    });
}

#[test]
fn a_server_whose_certificate_is_not_a_servers_or_of_another_authority_is_refused() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let (ours, other) = (authority(world), Authority::new("other").expect("made"));
        let folder = Folder::with(world, &ours.client(USER).expect("made"));
        for (what, certificate) in [
            (
                "a client's",
                ours.client_called("localhost", &["localhost", "127.0.0.1"]),
            ),
            ("of another authority", other.server()),
            ("of another host", ours.client("elsewhere.example")),
        ] {
            world
                .nats
                .show(&certificate.expect("made"))
                .await
                .expect("up");
            let ended = ended(&place, &folder).await;
            let said = format!("{}{}", ended.out, ended.err);
            assert_eq!(ended.code, Some(1), "{what}: {said}");
            assert!(said.contains(LOOK_AT_FILES), "{what}: {said}");
        }
    });
}

async fn told(service: &Service, event: &str, times: usize) {
    eventually(&format!("{event} {times} times"), async || {
        (service.log().matches(event).count() >= times).then_some(())
    })
    .await;
    assert_eq!(service.log().matches(event).count(), times, "{event}");
}

#[test]
fn a_service_that_runs_keeps_its_certificate_until_another_one_works() {
    const UNUSABLE: &str = "nats.certificate_unusable";
    const ENDING: &str = "nats.certificate_ending";
    const REMAINING: &str = "nats_certificate_remaining_seconds";
    run(async {
        let place = place(WorldOptions::default()).await;
        let first = authority(&place.world).client(USER).expect("made");
        let folder = Folder::with(&place.world, &first);
        let settings = folder.settings();
        let settings = settings
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let desk = Desk::with(place.world, &settings).await;
        let (nats, ours) = (&desk.world.nats, authority(&desk.world));
        let pid = desk.service.pid();
        let (half, _) = first.cert.split_at(first.cert.len() / 2);
        let half = Certificate {
            cert: half.to_owned(),
            ..first.clone()
        };
        let other = Authority::new("other").expect("made");
        let bad = [
            Ok(half),
            ours.expired_client(USER),
            other.client(USER),
            ours.client("billing-service"),
        ];
        let mut keys = vec![first.key.clone()];
        for (number, certificate) in (1..).zip(bad) {
            let certificate = certificate.expect("made");
            folder.put(&certificate);
            keys.push(certificate.key);
            told(&desk.service, UNUSABLE, number).await;
        }
        // A file that is gone is not what it was either.
        fs::remove_file(folder.path("tls.key")).expect("removed");
        told(&desk.service, UNUSABLE, 5).await;
        // And a connection that breaks meanwhile comes back as who it was.
        nats.restart().await.expect("back");
        told(&desk.service, "nats.connected", 2).await;
        let sms = desk.message().await;
        let sent = desk.send(&receipt(&sms)).await;
        desk.done(sent).await;

        // More than a tenth is left of the first, less of the second.
        for (number, left) in (1..).zip([90, 50]) {
            assert!(!desk.service.log().contains(ENDING), "it is good for long");
            let life = [Duration::minutes(-9 * 60), Duration::minutes(left)];
            let certificate = ours.lasting_client(USER, life).expect("made");
            folder.put(&certificate);
            told(&desk.service, "nats.certificate_rotated", number).await;
            told(&desk.service, "nats.connected", 2 + number).await;
            eventually("how long it is good is shown", async || {
                let left_now = desk.service.metric(REMAINING).await?;
                let expected = left * 60;
                (left_now <= expected && left_now > expected - 300).then_some(())
            })
            .await;
            let sms = desk.message().await;
            let sent = desk.send(&receipt(&sms)).await;
            desk.done(sent).await;
        }
        told(&desk.service, ENDING, 1).await;
        let log = desk.service.log();
        assert_eq!(log.matches(UNUSABLE).count(), 5, "told once each");
        assert_eq!(desk.service.pid(), pid, "the same process");
        assert!(!keys.iter().any(|key| is_told(key, &log)), "a key is told");
    });
}

/// Waits until a service is connected again after the server was started again.
async fn comes_back(service: &Service, restart: impl Future<Output = stack::Result<()>>) {
    const CONNECTED: &str = "nats.connected";
    let before = service.log().matches(CONNECTED).count();
    restart.await.expect("the server is up");
    told(service, CONNECTED, before + 1).await;
    service.ready(PATIENCE).await.expect("ready");
}

#[test]
fn an_authority_is_replaced_step_by_step_while_a_service_runs() {
    const ROTATED: &str = "nats.certificate_rotated";
    run(async {
        let place = place(WorldOptions::default()).await;
        let new = Authority::new("new").expect("made");
        let old_pem = authority(&place.world).pem().to_owned();
        let both = format!("{old_pem}{}", new.pem());
        let first = authority(&place.world).client(USER).expect("made");
        let folder = Folder::with(&place.world, &first);
        let mut variables = place.world.variables(USER, "dlr_svc");
        variables.extend(folder.settings());
        let service = place.world.running("dlr", variables).await;
        let service = service.expect("a service");
        let (nats, pid) = (&place.world.nats, service.pid());
        // Both sides trust both, then each shows what the new one signed, then the old one goes.
        comes_back(&service, nats.trust(&both)).await;
        fs::write(folder.path("ca.pem"), &both).expect("written");
        told(&service, ROTATED, 1).await;
        nats.show(&new.server().expect("made")).await.expect("up");
        service
            .ready(PATIENCE)
            .await
            .expect("it trusts the new one");
        folder.put(&new.client(USER).expect("made"));
        told(&service, ROTATED, 2).await;
        fs::write(folder.path("ca.pem"), new.pem()).expect("written");
        told(&service, ROTATED, 3).await;
        comes_back(&service, nats.trust(new.pem())).await;
        // Nobody is let in by the old one any more.
        let other = Folder::with(&place.world, &first);
        fs::write(other.path("ca.pem"), new.pem()).expect("written");
        let ended = ended(&place, &other).await;
        assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
        assert_eq!(service.pid(), pid, "the same process");
        assert!(service.terminate().await.expect("stops"), "exit code 0");
    });
}

#[test]
fn a_new_certificate_has_no_message_handed_out_twice() {
    const ROTATED: &str = "nats.certificate_rotated";
    run(async {
        let place = place(WorldOptions::default()).await;
        let first = authority(&place.world).client(USER).expect("made");
        let folder = Folder::with(&place.world, &first);
        let settings = folder.settings();
        let settings = settings
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let desk = Desk::with(place.world, &settings).await;
        let send = async || {
            let sms = desk.message().await;
            desk.send(&receipt(&sms)).await
        };
        desk.done(send().await).await;
        folder.put(&authority(&desk.world).client(USER).expect("made"));
        // All the time until it is done, and a while after.
        let (mut last, mut after) = (0, 0);
        while after < 30 {
            last = send().await;
            after += usize::from(desk.service.log().contains(ROTATED));
        }
        desk.done(last).await;
        let consumer = desk.consumer().await;
        assert_eq!(consumer.delivered.consumer_sequence, last, "each once");
    });
}
