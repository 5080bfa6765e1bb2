//! User × subject × {publish, subscribe}: every cell that `k8s/nats/accounts.conf` makes, tried on
//! a real server that has the file, allowed and refused.
//!
//! The subjects are all that stand in the file, for whomever, and some that nobody may use. What
//! is published must come out in the account of the streams where it is allowed, and nowhere where
//! it is not.

use std::{collections::BTreeSet, time::Duration};

use tests::{
    stack::nats_rights::{self, Rights},
    world::WorldOptions,
};
use tokio::time::{Instant, sleep};

use super::raw::Raw;
use crate::fixture::{OwnWorld, PATIENCE, place, run};

/// Subjects that stand in the file for nobody.
const HOSTILE: [&str; 34] = [
    ">",
    "*",
    "*.*",
    "*.*.*",
    "sms.>",
    "sms.*.inbound",
    "billing.>",
    "tenant.*",
    "$SYS.>",
    "$SYS.REQ.SERVER.PING",
    "$SYS.REQ.USER.INFO",
    "$SYS.ACCOUNT.MESSAGING.CONNECT",
    "$JS.>",
    "$JS.API.>",
    "$JS.API.STREAM.DELETE.SMS_DLR",
    "$JS.API.STREAM.PURGE.SMS_DLR",
    "$JS.API.STREAM.MSG.DELETE.SMS_DLR",
    "$JS.API.STREAM.MSG.GET.SMS_DLR",
    "$JS.API.DIRECT.GET.SMS_DLR",
    "$JS.API.STREAM.SNAPSHOT.SMS_DLR",
    "$JS.API.STREAM.RESTORE.SMS_DLR",
    "$JS.API.CONSUMER.DELETE.SMS_DLR.dlr-processor",
    "$JS.API.CONSUMER.PAUSE.SMS_DLR.dlr-processor",
    "$JS.API.CONSUMER.MSG.NEXT.SMS_DLR.other",
    "messaging.JS.API.STREAM.DELETE.SMS_DLR",
    "messaging.JS.API.>",
    "$JS.ACK.>",
    "sms.dlr.inbound.x",
    "sms.dlr",
    "SMS.DLR.INBOUND",
    "Billing.Events",
    "_INBOX.x",
    "_INBOX_observer.x",
    "_INBOX_dlr",
];

/// Every subject of the file with a word for each `*`, and the hostile ones.
pub(super) fn subjects(all: &[Rights]) -> BTreeSet<String> {
    let mut subjects: BTreeSet<String> = HOSTILE.into_iter().map(ToOwned::to_owned).collect();
    for rights in all {
        let mappings = rights.mappings.iter().flat_map(|(from, _)| [from]);
        let imports = rights
            .imports
            .iter()
            .flat_map(|(there, here)| [there, here]);
        let lists = rights.publish.iter().chain(&rights.subscribe);
        for pattern in lists.chain(mappings).chain(imports) {
            let words = pattern.split('.');
            let concrete = words.map(|word| if word == "*" { "x1" } else { word });
            subjects.insert(concrete.collect::<Vec<_>>().join("."));
            // What a list says may be asked for as it stands.
            subjects.insert(pattern.clone());
        }
    }
    subjects
}

/// Everything that comes out in the account of the streams.
pub(super) struct Observer(Raw, String);

impl Observer {
    pub(super) async fn of(place: &OwnWorld) -> Self {
        let nats = &place.world.nats;
        let files = nats.client_files("observer").expect("files");
        let mut raw = Raw::connect(nats.port(), files).await;
        raw.subscribe(">", 1).await;
        raw.told().await;
        Self(raw, String::new())
    }

    /// Waits for a message with this payload, and says what came before it.
    pub(super) async fn until(&mut self, payload: &str) -> &str {
        let until = Instant::now() + PATIENCE;
        while !self.saw(payload).await {
            assert!(Instant::now() < until, "{payload} never came out");
            sleep(Duration::from_millis(20)).await;
        }
        &self.1
    }

    /// Whether a message with this payload has come out.
    pub(super) async fn saw(&mut self, payload: &str) -> bool {
        self.1 += &self.0.told().await;
        self.1.contains(payload)
    }
}

/// Tries each cell of one user at the server behind `port`; says how many there are.
pub(super) async fn try_user(
    place: &OwnWorld,
    port: u16,
    rights: &Rights,
    subjects: &BTreeSet<String>,
    observer: &mut Observer,
) -> usize {
    let user = &rights.user;
    let files = place.world.nats.client_files(user).expect("files");
    let mut raw = Raw::connect(port, files).await;
    let mut published = Vec::new();
    for (number, subject) in subjects.iter().enumerate() {
        raw.subscribe(subject, number + 1).await;
        let refused = raw
            .told()
            .await
            .contains("Permissions Violation for Subscription");
        let may = rights.may_subscribe(subject);
        assert_eq!(!refused, may, "{user} subscribes to {subject}");
        if subject.contains(['*', '>']) {
            continue;
        }
        let mark = format!("cell-{user}-{number}-");
        raw.publish(subject, &mark).await;
        let refused = raw
            .told()
            .await
            .contains("Permissions Violation for Publish");
        let may = rights.may_publish(subject);
        assert_eq!(!refused, may, "{user} publishes on {subject}");
        published.push((subject, mark, may));
    }
    // What is sent last comes out last.
    let last = subjects.iter().find(|subject| rights.may_publish(subject));
    raw.publish(last.expect("it may something"), &format!("end-{user}"))
        .await;
    raw.told().await;
    let seen = observer.until(&format!("end-{user}")).await;
    for (subject, mark, may) in &published {
        assert_eq!(seen.contains(mark), *may, "{user} on {subject} comes out");
        if *may {
            let arrived = rights.arrives_as(subject).expect("imported");
            // JetStream also tells of what it was asked, in a message of its own.
            let mut heads = seen.match_indices(mark).filter_map(|(at, _)| {
                let (_, head) = seen[..at].rsplit_once("MSG ")?;
                Some(head)
            });
            let named = heads.any(|head| head.starts_with(&format!("{arrived} ")));
            assert!(named, "{user} on {subject} comes out as {arrived}");
        }
    }
    subjects.len() + published.len()
}

#[test]
fn every_user_may_publish_and_subscribe_what_the_accounts_say_and_nothing_else() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let all = nats_rights::committed();
        let subjects = subjects(&all);
        let mut observer = Observer::of(&place).await;
        let mut cells = 0;
        for rights in &all {
            let port = place.world.nats.port();
            cells += try_user(&place, port, rights, &subjects, &mut observer).await;
        }
        assert_eq!(all.len(), 6);
        assert!(cells > 1_000, "{cells} cells");
        eprintln!("{cells} cells, {} subjects", subjects.len());
    });
}
