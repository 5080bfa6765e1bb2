//! One crowd after the other: connections, calls, lines, traces and questions without end, all from
//! one address, one tenant or nobody at all.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use hyper::Method;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tests::{
    stack::certs::Authority,
    world::{Service, WorldOptions},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{
    collector::Collector,
    fixture::{PATIENCE, eventually, place, run},
    rest::{
        fixture::{Customer, DAYS, Gateway, calm, desk, problem, trusting},
        raw::{connect, drained},
    },
};

/// The beginning of a request that never goes on.
const HALF: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\n";

/// Whether the other side has closed.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let read = timeout(Duration::from_millis(1), stream.read(&mut [0; 1])).await;
    matches!(read, Ok(Ok(0) | Err(_)))
}

/// How many of the connections are still open.
async fn open(streams: &mut [TcpStream]) -> usize {
    let closed = join_all(streams.iter_mut().map(is_closed)).await;
    closed.iter().filter(|closed| !**closed).count()
}

#[test]
fn one_address_holds_no_more_than_its_share_of_the_connections() {
    run(async {
        let desk = desk().await;
        let bounds = [
            ("HTTP_CONNECTIONS_MAX", "40"),
            ("HTTP_CONNECTIONS_PER_ADDRESS", "8"),
        ];
        let (node, rest) = desk.node(&bounds).await;
        let mut crowd = Vec::new();
        for _ in 0..80 {
            let mut stream = connect(&node).await;
            // A connection that was closed at once may say so already.
            let _ = stream.write_all(HALF).await;
            crowd.push(stream);
        }
        eventually("what is beyond the share is closed", async || {
            (open(&mut crowd).await <= 8).then_some(())
        })
        .await;
        // From another address of this machine there is room.
        let port = rest.base().rsplit(':').next().expect("a port").to_owned();
        let other = TcpSocket::new_v4().expect("a socket");
        other
            .bind("127.0.0.2:0".parse().expect("an address"))
            .expect("bound");
        let at = format!("127.0.0.1:{port}").parse().expect("an address");
        let mut other = other.connect(at).await.expect("connects");
        let ask = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        other.write_all(ask).await.expect("sent");
        assert_eq!(drained(&mut other).await.status, Some(200));
        calm(&node);
        drop(crowd);
        assert!(node.terminate().await.expect("it stops"));
    });
}

#[test]
fn half_requests_at_the_probe_port_are_few_and_short() {
    run(async {
        let desk = desk().await;
        let (node, _) = desk.node(&[]).await;
        let mut crowd = Vec::new();
        for _ in 0..400 {
            let mut stream = TcpStream::connect(node.probe_address())
                .await
                .expect("connects");
            let _ = stream.write_all(HALF).await;
            crowd.push(stream);
        }
        eventually("few of them are kept", async || {
            (open(&mut crowd).await <= 16).then_some(())
        })
        .await;
        eventually("and none for long", async || {
            (open(&mut crowd).await == 0).then_some(())
        })
        .await;
        let ready = node.get("/ready").await.expect("an answer");
        assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
        assert!(node.terminate().await.expect("it stops"));
    });
}

/// The lines of a log with this event.
fn lines(node: &Service, event: &str) -> Vec<Value> {
    let log = node.log();
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines
        .filter(|line: &Value| line["event"] == event)
        .collect()
}

#[test]
fn strangers_are_counted_on_every_route_and_their_flood_leaves_a_line_a_second() {
    run(async {
        let desk = desk().await;
        let (node, rest) = desk.node(&[("HTTP_RATE", "1"), ("HTTP_BURST", "10")]).await;
        let nobody = rest.as_nobody();
        let guessing = rest.with_token("guess.guess.guess");
        let (mut answered, mut turned_away) = (0_usize, 0_u64);
        for _ in 0..40 {
            for (caller, method, path) in [
                (&nobody, Method::GET, "/nowhere"),
                (&nobody, Method::PUT, "/openapi.json"),
                (&nobody, Method::GET, "/openapi.json"),
                (
                    &nobody,
                    Method::from_bytes(b"BREW").expect("a method"),
                    "/v1/billing/usage",
                ),
                (&guessing, Method::GET, "/v1/billing/usage"),
                (&guessing, Method::GET, "/nowhere"),
            ] {
                let answer = caller.call(method, path, None).await.expect("an answer");
                if answer.status == 429 {
                    assert_eq!(problem(&answer).1, "too_many_requests");
                    turned_away += 1;
                } else {
                    answered += 1;
                }
            }
        }
        assert!(turned_away > 100, "{turned_away} of 240");
        let beyond = |lines: &[Value]| -> u64 {
            lines
                .iter()
                .filter_map(|line| line["strangers"].as_u64())
                .sum()
        };
        let told = eventually("the log has the sum of them", async || {
            let told = lines(&node, "http.beyond_limit");
            (beyond(&told) == turned_away).then_some(told)
        })
        .await;
        assert!(
            told.iter()
                .all(|line| line["callers"] == 0 && line["tenants"] == 0)
        );
        assert_eq!(lines(&node, "http.request").len(), answered);
        assert!(lines(&node, "identity.token_refused").len() <= answered);
        // Who is known is not counted with them.
        let known = rest.as_billing_admin().get("/v1/admin/pricing").await;
        assert_eq!(known.expect("an answer").status, 200);
        calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}

#[test]
fn a_stranger_cannot_make_us_export_a_trace() {
    run(async {
        let (desk, collector) = (desk().await, Collector::open().await);
        let settings = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()),
            ("OTEL_TRACES_SAMPLER_ARG", "0"),
        ];
        let (node, rest) = desk.node(&settings).await;
        let of = desk.customer().await;
        let path = format!("/v1/billing/usage?{DAYS}");
        let traced = |trace: u128| format!("00-{trace:032x}-b7ad6b7169203331-01");
        let (anonymous, known) = (0x0af7_6519_16cd_43dd_u128, 0x1af7_6519_16cd_43dd_u128);
        for caller in [rest.as_nobody(), rest.with_token("guess")] {
            for path in ["/nowhere", "/openapi.json", &path] {
                let caller = caller.clone().saying("traceparent", &traced(anonymous));
                caller.get(path).await.expect("an answer");
            }
        }
        let caller = rest.as_customer(of.tenant, of.account);
        let caller = caller.saying("traceparent", &traced(known));
        assert_eq!(caller.get(&path).await.expect("an answer").status, 200);
        // Spans leave in order, so what was to come has come.
        eventually("the known caller's trace is exported", async || {
            collector.has(&known.to_be_bytes()).then_some(())
        })
        .await;
        assert!(!collector.has(&anonymous.to_be_bytes()));
        calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}

#[test]
fn a_connection_ends_after_its_time_however_busy_it_is() {
    run(async {
        let desk = desk().await;
        let (node, _) = desk.node(&[("HTTP_CONNECTION_LIFE", "2s")]).await;
        let mut stream = connect(&node).await;
        let ask = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
        let mut answer = vec![0; 64 * 1024];
        eventually("it is closed between two requests", async || {
            if stream.write_all(ask).await.is_err() {
                return Some(());
            }
            let read = timeout(PATIENCE, stream.read(&mut answer)).await;
            matches!(read.expect("it answers or closes"), Ok(0) | Err(_)).then_some(())
        })
        .await;
        calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}

#[test]
fn what_a_withdrawn_authority_vouched_for_ends_with_it() {
    run(async {
        let desk = desk().await;
        let gateway = Gateway::open(desk, "withdrawn").await;
        let shown = gateway.authority.client("kong").expect("a certificate");
        let tls = trusting(&gateway.authority, Some(shown));
        let tls = TlsConnector::from(Arc::new(tls));
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = connect(&gateway.service).await;
        let mut stream = tls.connect(name, stream).await.expect("TLS");
        let ask = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.write_all(ask).await.expect("sent");
        assert!(stream.read(&mut [0; 1]).await.is_ok_and(|read| read == 1));
        let other = Authority::new("the next").expect("an authority");
        std::fs::write(&gateway.client_ca, other.pem()).expect("written");
        let ended = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;
        ended.expect("the connection ends").ok();
        // And it cannot be had again.
        let of = desk.customer().await;
        let again = gateway.kong.as_nobody().saying("x-api-key-id", "key-1");
        let again = again.saying("x-tenant-id", &of.tenant.to_string());
        let again = again.saying("x-account-id", &of.account.to_string());
        let answer = again.get("/v1/billing/usage").await;
        assert!(answer.is_err(), "{answer:?}");
        calm(&gateway.service);
    });
}

#[test]
fn a_tenant_whose_questions_take_long_holds_up_nobody_elses() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        let node = world.billing(&[("HTTP_TENANT_QUESTIONS", "3")]).await;
        let node = node.expect("a service");
        let rest = world.rest(&node).await.expect("reached");
        let of = Customer::nobody();
        // What they ask about does not come for as long as this lasts.
        let mut locking = world.admin().await.expect("postgres");
        let slow = locking.transaction().await.expect("begun");
        slow.batch_execute(include_str!("crowds/lock_usage.sql"))
            .await
            .expect("locked");
        let path = format!("/v1/billing/usage?{DAYS}&granularity=hour");
        let crowd: Vec<_> = (0..24)
            .map(|user| {
                let user = format!("user-{user}");
                let user = rest.named(&user, "account.viewer", of.tenant, Some(of.account));
                let path = path.clone();
                tokio::spawn(async move { user.get(&path).await.expect("an answer").status })
            })
            .collect();
        let watching = world.admin().await.expect("postgres");
        let waiting = async || -> i64 {
            let sql = include_str!("crowds/waiting.sql");
            watching.query_one(sql, &[]).await.expect("reads").get(0)
        };
        eventually("their questions wait", async || {
            (waiting().await == 3).then_some(())
        })
        .await;
        let answer = rest.as_billing_admin().get("/v1/admin/pricing").await;
        assert_eq!(answer.expect("an answer").status, 200);
        assert!(waiting().await <= 3, "the others have not even begun");
        slow.rollback().await.expect("ended");
        for one in crowd {
            // Who has waited for too long is told so.
            assert!([200, 503].contains(&one.await.expect("asked")));
        }
        assert!(node.terminate().await.expect("it stops"));
    });
}
