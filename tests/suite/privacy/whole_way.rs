//! The whole way: all that comes in is marked, all that goes out is searched, and a mark that is
//! planted in any kind of sink is found there.

use std::{collections::BTreeSet, io::Write as _};

use api::nats::plan::WEBHOOK_DISPATCH;
use async_nats::HeaderMap;
use tests::{drive, world::WorldOptions};
use uuid::Uuid;

use super::{
    arrivals::{self, Whose},
    calls, job_commands,
    marks::{Mark, Search},
    refused_rows,
    sinks::{Leak, Sink, leaks, of_database, of_servers, of_service, of_streams, payload_of},
    stage::Stage,
};
use crate::fixture::{PATIENCE, place, run};

/// Everything that went out or stayed behind until now.
async fn sinks(stage: &Stage) -> Vec<Sink> {
    let mut sinks = of_service("dlr", &stage.dlr).await;
    sinks.extend(of_service("billing", &stage.billing).await);
    sinks.extend(stage.answers());
    sinks.extend(of_database(&stage.database).await);
    let observer = stage.world.jetstream("observer").await.expect("nats");
    sinks.extend(of_streams(&observer, &stage.published()).await);
    sinks.extend(of_servers(&stage.world));
    sinks.push(Sink::new("the traces", stage.collector.sent()));
    sinks
}

/// What was played, and what may be seen of it.
struct Play {
    stage: Stage,
    over_nats: arrivals::Private,
    over_rest: calls::Private,
    known: Whose,
    /// Whom nobody has registered, and who is forgotten in the end.
    unknown: Whose,
    /// A message of whoever is known.
    message: Uuid,
}

impl Play {
    /// Everything that happens, until nothing moves any more.
    async fn run(stage: Stage) -> Self {
        let mut play = Self {
            message: Uuid::nil(),
            stage,
            over_nats: arrivals::Private::new(),
            over_rest: calls::Private::new(),
            known: Whose::somebody(),
            unknown: Whose::somebody(),
        };
        let (stage, known) = (&play.stage, play.known);
        calls::set_up(stage, &play.over_rest, known).await;
        let (message, received) = arrivals::receive(stage, &play.over_nats, known).await;
        // What nobody has registered or priced is held.
        arrivals::announce(stage, &play.over_nats, known).await;
        arrivals::announce(stage, &play.over_nats, play.unknown).await;
        play.come_to_rest().await;
        calls::ask(stage, &play.over_rest, known).await;
        calls::be_refused(stage, &play.over_rest, known).await;
        let called = calls::be_strangers(stage, &play.over_rest, known).await;
        arrivals::erase(stage, &play.over_nats, play.unknown).await;
        calls::knock(stage, &play.over_rest, &stage.billing).await;
        play.come_to_rest().await;
        stage.exported(&received).await;
        stage.exported(&called).await;
        play.message = message;
        play
    }

    async fn come_to_rest(&self) {
        let rest = drive::rest_with_billing(&self.stage.world, PATIENCE).await;
        rest.expect("comes to rest");
    }

    fn search(&self) -> Search {
        Search::for_all(self.over_nats.all().into_iter().chain(self.over_rest.all()))
    }

    /// Whether this is where it belongs: in a webhook, or in an answer about an account.
    fn is_meant(&self, leak: &Leak) -> bool {
        let among = |marks: &[&Mark]| {
            let place = leak.found.place;
            marks.iter().any(|mark| mark.place == place)
        };
        let readable = matches!(leak.found.form, "plain" | "spaced");
        readable
            && match leak.sink.as_str() {
                calls::OF_ACCOUNTS => among(&self.over_rest.of_accounts()),
                sink => {
                    sink == payload_of(WEBHOOK_DISPATCH.name)
                        && among(&self.over_nats.of_webhooks())
                }
            }
    }

    /// The marks that stand where they do not belong, and what was seen where it does.
    fn judge(&self, sinks: &[Sink]) -> (Vec<Leak>, BTreeSet<&'static str>) {
        let all = leaks(&self.search(), sinks);
        let (meant, leaks): (Vec<_>, _) = all.into_iter().partition(|leak| self.is_meant(leak));
        let seen = meant.iter().map(|leak| leak.found.place).collect();
        (leaks, seen)
    }
}

/// Nothing is proven by silence: the logs and traces tell of everything that was played, and of
/// whose it was: accounts are not personal, and lines of both services are put together by them.
fn tells_of_everything(sinks: &[Sink], account: &str) {
    let words = [
        ("the output of dlr", account),
        ("the output of billing", account),
        (
            "the output of dlr",
            "dlr.received dlr.correlated dlr.duplicate dlr.orphaned",
        ),
        ("the output of dlr", "dlr.validation_failed"),
        (
            "the output of billing",
            "http.request identity.token_refused billing",
        ),
        ("the traces", "http.request billing.ingest_event"),
        ("/metrics of dlr", "dlr_validation_errors_total"),
        ("/metrics of billing", "billing_events_ingested_total"),
    ];
    for (name, events) in words {
        let sink = sinks.iter().find(|sink| sink.name == name).expect(name);
        let text = String::from_utf8_lossy(&sink.bytes);
        for event in events.split(' ') {
            assert!(text.contains(event), "{name} does not tell of {event}");
        }
    }
}

#[test]
fn what_nobody_may_see_is_in_no_log_trace_metric_stream_answer_or_table() {
    run(async {
        let began = eventstore::clock::now();
        let place = place(WorldOptions::default()).await;
        let play = Play::run(Stage::in_world(place.world).await).await;
        let stage = &play.stage;
        let jobs = job_commands::said(stage, began, play.unknown.tenant).await;
        let (shown, told) = job_commands::reveal(stage, play.message).await;
        for mark in play.over_nats.of_receipts() {
            let found = Search::for_all([mark]).within(shown.as_bytes());
            assert!(!found.is_empty(), "{} was asked for", mark.place);
        }
        let sinks = [sinks(stage).await, jobs, vec![told]].concat();
        tells_of_everything(&sinks, &play.known.account.to_string());
        let (leaks, seen) = play.judge(&sinks);
        assert_eq!(leaks, [], "{} sinks were searched", sinks.len());
        // The marks were really sent: they are where they belong.
        let meant = play.over_nats.of_webhooks().into_iter();
        let meant = meant.chain(play.over_rest.of_accounts());
        assert_eq!(seen, meant.map(|mark| mark.place).collect());
        a_planted_mark_is_found(&play).await;
        let refused = refused_rows::said(stage, &play.over_nats, play.known).await;
        // The planted trace is still with the collector.
        let planted = |leak: &Leak| leak.found.place == PLANTED;
        let (mut leaks, _) = play.judge(&refused);
        leaks.retain(|leak| !planted(leak));
        assert_eq!(leaks, []);
    });
}

const PLANTED: &str = "a planted mark";

/// Puts a mark into one sink of each kind; the search finds each of them there, and nowhere else.
async fn a_planted_mark_is_found(play: &Play) {
    let stage = &play.stage;
    let mark = Mark::number(PLANTED);
    let word = mark.text();
    let log = stage.world.path(&stage.dlr.log_name());
    let mut log = std::fs::OpenOptions::new()
        .append(true)
        .open(log)
        .expect("a log");
    writeln!(log, "{{\"event\":\"planted\",\"to\":\"{word}\"}}").expect("written");
    let sql = include_str!("whole_way/plant.sql");
    let bytes = word.as_bytes().repeat(2);
    let planted = stage.database.execute(sql, &[&&bytes[..32]]).await;
    assert_eq!(planted.expect("a superuser may"), 1);
    let mut headers = HeaderMap::new();
    headers.insert("who", word.as_str());
    let jetstream = stage.world.jetstream("dlr-processor").await.expect("nats");
    let sent = jetstream.publish_with_headers("sms.dlr.unmatched", headers, word.clone().into());
    sent.await.expect("sent").await.expect("stored");
    let body = format!(
        "POST /v1/traces HTTP/1.1\r\ncontent-length: {}\r\n\r\n{word}",
        word.len()
    );
    stage.collector.told(body.as_bytes()).await;
    stage.keep(Sink::new(
        "the answer to nothing",
        format!("400\nto: {word}\n"),
    ));
    let search = Search::for_all([&mark]);
    let found = leaks(&search, &sinks(stage).await);
    let found: BTreeSet<_> = found.iter().map(|leak| leak.sink.as_str()).collect();
    let payload = payload_of("SMS_DLR_UNMATCHED");
    let planted = [
        "the output of dlr",
        "the table eventlog.master_key",
        "an envelope in SMS_DLR_UNMATCHED",
        &payload,
        "the traces",
        "the answer to nothing",
    ];
    assert_eq!(found, planted.into_iter().collect());
}
