//! `tollbook reveal`: recorded before anything is opened, for one role alone, and said nowhere but to who
//! asked.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::{traffic::Expected, world::WorldOptions};
use uuid::Uuid;

use crate::{
    fixture::{Ended, place, run, tollbook, unique},
    receipts::fixture::{Desk, receipt, sms},
};

const REASON: &str = "complaint 4711: who was it sent to";
const WHO: &str = "officer-7";

/// Who asks, in a world.
struct Asking {
    variables: BTreeMap<&'static str, String>,
}

impl Asking {
    fn of(desk: &Desk, role: &str) -> Self {
        let mut variables = desk.world.variables("tollbook-admin", role);
        variables.retain(|name, _| !name.starts_with("NATS"));
        Self { variables }
    }

    async fn reveal(&self, words: &[&str]) -> Ended {
        let usual = ["reveal", "--reason", REASON, "--principal", WHO];
        tollbook(&[&usual[..], words].concat(), &self.variables).await
    }
}

/// The lines that were printed.
fn lines(said: &str) -> Vec<Value> {
    let read = |line| serde_json::from_str(line).expect("JSON");
    said.lines().map(read).collect()
}

/// Every event that says that somebody asked: principal, recorded by, payload, whose it is.
async fn recorded(desk: &Desk) -> Vec<(String, String, Value, Option<Uuid>)> {
    let sql = "select principal, recorded_by::text, payload::text, account
        from eventlog.event where type = 'PersonalDataRevealed' order by position";
    let rows = desk.database.query(sql, &[]).await.expect("reads");
    rows.iter()
        .map(|row| {
            let payload: String = row.get(2);
            let payload = serde_json::from_str(&payload).expect("JSON");
            (row.get(0), row.get(1), payload, row.get(3))
        })
        .collect()
}

#[test]
fn what_is_sealed_is_shown_to_whoever_is_recorded_with_a_reason_and_printed_nowhere_else() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let desk = Desk::in_world(place.world).await;
        let (message, other) = (desk.message().await, desk.message().await);
        let payload = json!({ "note": "call +99955555555 \u{1b}[31m" });
        desk.receives(
            &receipt(&message)
                .says("ACCEPTD")
                .with("rawPayload", payload.clone()),
        )
        .await;
        desk.receives(&receipt(&message)).await;
        desk.receives(&receipt(&other)).await;
        let admin = Asking::of(&desk, "tollbook_admin");
        let id = message.id.to_string();
        let head = desk.head().await;

        let done = admin.reveal(&["--message", &id]).await;
        assert_eq!(done.code, Some(0), "{}", done.err);
        let shown = lines(&done.out);
        let of = |field: &str| -> Vec<&Value> {
            let of = shown.iter().filter(|line| line["field"] == field);
            of.map(|line| &line["value"]).collect()
        };
        assert_eq!(of("destAddr"), [&json!(message.to), &json!(message.to)]);
        assert_eq!(of("to"), [&json!(message.to), &json!(message.to)]);
        assert_eq!(of("rawPayload"), [&json!(payload.to_string())]);
        assert!(
            !done.out.contains('\u{1b}'),
            "a terminal obeys nothing of it"
        );
        assert!(done.err.is_empty(), "{}", done.err);
        assert!(!done.out.contains(&other.to[1..]), "nobody else's");

        let done = admin.reveal(&["--message", &id, "--field", "to"]).await;
        assert_eq!(lines(&done.out).len(), 2, "{}", done.err);
        let recorded = recorded(&desk).await;
        let [(who, by, all, account), (.., one, _)] = &recorded[..] else {
            panic!("two were recorded: {recorded:?}");
        };
        assert_eq!((&who[..], &by[..]), ("person officer-7", "tollbook_admin"));
        assert_eq!(*account, Some(message.account));
        assert_eq!(
            (&all["reason"], &all["streamId"]),
            (&json!(REASON), &json!(id))
        );
        assert_eq!(all["category"], "message");
        let fields = json!(["destAddr", "rawPayload", "to"]);
        assert_eq!(all["revealed"][0]["fields"], fields);
        assert_eq!(one["revealed"][1]["fields"], json!(["to"]));
        assert_eq!(desk.head().await, head + 2);
        // The log, the tables and the streams hold no number, and the auditor knows the event.
        let report = desk
            .world
            .audit(&Expected::default())
            .await
            .expect("audited");
        let odd = format!("{:?}", report.findings);
        assert!(
            !odd.contains("EventsReadable") && !odd.contains("IdsDerived"),
            "{odd}"
        );
        assert!(!odd.contains("NoPersonalDataInClear"), "{odd}");
        assert!(!desk.service.log().contains(&message.to[1..]));
    });
}

#[test]
fn an_orphan_is_shown_until_its_key_is_destroyed_and_who_asks_then_is_recorded_too() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let desk = Desk::in_world(place.world).await;
        let (nobody, erased) = (sms(), desk.message().await);
        desk.receives(&receipt(&nobody)).await;
        desk.receives(&receipt(&erased)).await;
        let orphan = desk.orphans(&nobody).await[0].0.to_string();
        let admin = Asking::of(&desk, "tollbook_admin");
        let done = admin.reveal(&["--orphan", &orphan]).await;
        assert_eq!(done.code, Some(0), "{}", done.err);
        assert_eq!(lines(&done.out)[0]["value"], json!(nobody.to));

        let sql = "delete from eventlog.data_key";
        assert_eq!(desk.database.execute(sql, &[]).await.expect("gone"), 2);
        let message = erased.id.to_string();
        for words in [["--orphan", &orphan], ["--message", &message]] {
            let done = admin.reveal(&words).await;
            assert_eq!(done.code, Some(1), "{}", done.err);
            for line in lines(&done.out) {
                let why = "its key was destroyed, so nobody can read it any more";
                assert_eq!(
                    (&line["unreadable"], &line["value"]),
                    (&json!(why), &Value::Null)
                );
            }
            assert!(done.err.contains("values cannot be read"), "{}", done.err);
        }
        assert_eq!(
            recorded(&desk).await.len(),
            3,
            "each time, whatever came of it"
        );
    });
}

#[test]
fn nothing_is_shown_to_another_role_or_without_a_reason_a_name_and_something_that_is_there() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let desk = Desk::in_world(place.world).await;
        let message = desk.message().await;
        desk.receives(&receipt(&message)).await;
        let id = message.id.to_string();
        for role in ["dlr_svc", "billing_svc", "auditor"] {
            let done = Asking::of(&desk, role).reveal(&["--message", &id]).await;
            assert_eq!((done.code, &done.out[..]), (Some(1), ""), "{role}");
            assert!(done.err.contains("use tollbook_admin"), "{}", done.err);
        }
        let admin = Asking::of(&desk, "tollbook_admin");
        let long = "x".repeat(501);
        for (reason, who) in [
            ("", WHO),
            ("no", WHO),
            (&long, WHO),
            ("two\nlines", WHO),
            ("for +49151123456789", WHO),
            (REASON, ""),
            (REASON, "a\u{7}"),
            (REASON, "+491511234567"),
        ] {
            let words = [
                "reveal",
                "--reason",
                reason,
                "--principal",
                who,
                "--message",
                &id,
            ];
            let done = tollbook(&words, &admin.variables).await;
            assert_eq!((done.code, &done.out[..]), (Some(2), ""), "{reason} {who}");
            assert!(!done.err.contains("1511234567"), "{}", done.err);
        }
        for words in [
            &["reveal", "--principal", WHO, "--message", &id][..],
            &["reveal", "--reason", REASON, "--message", &id],
            &["reveal", "--reason", REASON, "--principal", WHO],
        ] {
            let done = tollbook(words, &admin.variables).await;
            assert_eq!((done.code, &done.out[..]), (Some(2), ""), "{words:?}");
        }
        let nobody = unique().to_string();
        for (words, said) in [
            (
                ["--message", &nobody[..], "--field", "to"],
                "knows no such message",
            ),
            (
                ["--orphan", &nobody, "--field", "to"],
                "knows no such message",
            ),
            (
                ["--message", &id, "--field", "metadata"],
                "nothing of that kind",
            ),
        ] {
            let done = admin.reveal(&words).await;
            assert_eq!((done.code, &done.out[..]), (Some(1), ""), "{words:?}");
            assert!(done.err.contains(said), "{}", done.err);
        }
        assert_eq!(recorded(&desk).await, []);
    });
}

#[test]
fn what_cannot_be_recorded_is_not_shown() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let desk = Desk::in_world(place.world).await;
        let message = desk.message().await;
        desk.receives(&receipt(&message)).await;
        let id = message.id.to_string();
        // Nobody can append while somebody holds the log.
        let mut holder = desk.world.admin().await.expect("postgres");
        let held = holder.transaction().await.expect("begun");
        let sql = "select from eventlog.log for update";
        held.execute(sql, &[]).await.expect("held");
        let done = Asking::of(&desk, "tollbook_admin")
            .reveal(&["--message", &id])
            .await;
        assert_eq!((done.code, &done.out[..]), (Some(1), ""), "{}", done.err);
        assert!(done.err.contains("recording who asks"), "{}", done.err);
        held.rollback().await.expect("released");
        assert_eq!(recorded(&desk).await, []);
    });
}
