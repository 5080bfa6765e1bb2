//! What the roles say that end by themselves, with the most to say that they can be told to.
//!
//! The roles, and the words that some of them take, are read from the binary's own help: one that
//! has no place here fails.

use std::collections::{BTreeMap, BTreeSet};

use schema::Timestamp;
use uuid::Uuid;

use super::{sinks::Sink, stage::Stage};
use crate::fixture::{tollbook, unique};

/// What is not listened to here: services, which are listened to while they run; what touches neither
/// data nor servers; what calls the API, which is listened to there; and what shows a person what they
/// asked for, see [`reveal`].
const ELSEWHERE: [&str; 9] = [
    "dlr",
    "billing",
    "schema",
    "dev",
    "help",
    "reveal",
    "prices",
    "costs",
    "statement",
];

/// One role as it is run: who it is for NATS and Postgres, and its words.
struct Job {
    user: &'static str,
    role: &'static str,
    words: Vec<String>,
}

/// All roles that touch data; `since` is when all of it had not come yet, `erased` a tenant that is
/// to be forgotten.
fn jobs(since: Timestamp, erased: Uuid) -> Vec<Job> {
    let job = |user, role, words: &[&str]| Job {
        user,
        role,
        words: words.iter().map(|word| (*word).to_owned()).collect(),
    };
    let (since, erased) = (since.to_string(), erased.to_string());
    let replay = |role, what| {
        let words = ["replay-intake", "--what", what, "--since", &since];
        job("tollbook-admin", role, &words)
    };
    vec![
        job("dlr-processor", "dlr_svc", &["reconcile"]),
        job("dlr-processor", "auditor", &["republish"]),
        replay("dlr_svc", "receipts"),
        replay("billing_svc", "settlements"),
        job("tollbook-admin", "tollbook_admin", &["keys", "rewrap"]),
        job("tollbook-admin", "tollbook_admin", &["keys", "expire"]),
        job("tollbook-admin", "tollbook_admin", &["erasure", "run"]),
        job(
            "tollbook-admin",
            "tollbook_admin",
            &["erasure", "verify", "--tenant-id", &erased],
        ),
        job("tollbook-admin", "tollbook_admin", &["provision"]),
        job("tollbook-admin", "postgres", &["migrate"]),
    ]
}

/// Runs each; what each wrote to stdout and stderr.
pub(crate) async fn said(stage: &Stage, since: Timestamp, erased: Uuid) -> Vec<Sink> {
    let mut sinks = Vec::new();
    for Job { user, role, words } in jobs(since, erased) {
        let mut variables = stage.world.variables(user, role);
        for (name, value) in [
            ("LOG_LEVEL", "trace"),
            ("PROBE_PORT", "0"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &stage.collector.url),
            ("OTEL_TRACES_SAMPLER_ARG", "1"),
            ("DLR_GRACE", "1s"),
        ] {
            variables.insert(name, value.to_owned());
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ended = tollbook(&words, &variables).await;
        assert_eq!(ended.code, Some(0), "{words:?}: {ended:?}");
        assert!(!ended.out.is_empty(), "{words:?} says nothing");
        let name = format!("the output of {}", words.join(" "));
        sinks.push(Sink::new(name, ended.out + &ended.err));
    }
    sinks
}

/// Opens what is sealed of a message for a person, who sees it on stdout; and what was written to
/// stderr, by this and by asking for a message that nobody knows.
pub(crate) async fn reveal(stage: &Stage, message: Uuid) -> (String, Sink) {
    let mut variables = stage.world.variables("tollbook-admin", "tollbook_admin");
    variables.insert("LOG_LEVEL", "trace".to_owned());
    let about = ["--reason", "a complaint", "--principal", "person-7"];
    let mut told = String::new();
    let mut asked = async |message: Uuid| {
        let message = message.to_string();
        let words = [&["reveal", "--message", &message][..], &about].concat();
        let ended = tollbook(&words, &variables).await;
        told.push_str(&ended.err);
        ended
    };
    let shown = asked(message).await;
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    assert_ne!(asked(unique()).await.code, Some(0));
    (shown.out, Sink::new("the errors of reveal", told))
}

/// What the binary can be asked to be after these words, by its own help.
fn commands(words: &[&str]) -> BTreeSet<String> {
    let words = [words, &["--help"]].concat();
    let ended = crate::fixture::run(tollbook(&words, &BTreeMap::new()));
    let commands = ended.out.split("Commands:\n").nth(1).expect("commands");
    let commands = commands.lines().take_while(|line| !line.is_empty());
    let begins = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    let names = commands
        .filter(begins)
        .filter_map(|line| line.split_whitespace().next());
    names.map(str::to_owned).collect()
}

#[test]
fn every_role_that_touches_data_is_listened_to() {
    let jobs = jobs(eventstore::clock::now(), unique());
    let known = |place: usize, of: Option<&str>| {
        let jobs = jobs
            .iter()
            .filter(|job| of.is_none_or(|of| job.words[0] == of));
        let words = jobs.map(|job| job.words[place].as_str());
        let known: BTreeSet<_> = words.chain(ELSEWHERE).map(str::to_owned).collect();
        known
    };
    for (words, known) in [
        (&[][..], known(0, None)),
        (&["keys"], known(1, Some("keys"))),
        (&["erasure"], known(1, Some("erasure"))),
    ] {
        let commands = commands(words);
        assert!(
            commands.len() > 2,
            "the help is not read right: {commands:?}"
        );
        let unheard: Vec<_> = commands.difference(&known).collect();
        assert!(
            unheard.is_empty(),
            "{words:?} has no place here for {unheard:?}"
        );
    }
}
