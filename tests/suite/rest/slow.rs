//! Clients that are slow on purpose: they lose their connection, and others are served meanwhile.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{sleep, timeout},
};

use super::{
    fixture::{DAYS, calm, desk},
    raw::{RawAnswer, connect, drained},
};
use crate::fixture::{PATIENCE, run};

/// Between two bytes of a slow client.
const DRIP: Duration = Duration::from_millis(200);

/// Sends `head` at once and then `byte` after `byte` until the other side has enough of it.
async fn dripping(service: &tests::world::Service, head: &str, byte: u8) -> RawAnswer {
    let (mut reader, mut writer) = connect(service).await.into_split();
    writer.write_all(head.as_bytes()).await.expect("sent");
    let drip = async {
        while writer.write_all(&[byte]).await.is_ok() {
            sleep(DRIP).await;
        }
        std::future::pending::<()>().await;
    };
    let mut bytes = Vec::new();
    let read = async {
        tokio::select! {
            _ = reader.read_to_end(&mut bytes) => {}
            () = drip => {}
        }
    };
    let read = timeout(PATIENCE, read).await;
    read.expect("it is not listened to for ever");
    RawAnswer::of(&bytes)
}

#[test]
fn who_dribbles_is_cut_off_and_others_are_served_meanwhile() {
    run(async {
        let desk = desk().await;
        let more = [("HTTP_TIMEOUT", "2s"), ("HTTP_CONNECTIONS_MAX", "24")];
        let (node, rest) = desk.node(&more).await;
        let of = desk.customer().await;
        let admin = rest.as_billing_admin().token().await;
        let admin = admin.expect("made").expect("a token");
        let post = format!(
            "POST /v1/admin/pricing HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {admin}\r\n\
             Content-Type: application/json\r\nConnection: close\r\n"
        );
        let sized = format!("{post}Content-Length: 60000\r\n\r\n{{\"unitPrice\": \"");
        let chunked = format!("{post}Transfer-Encoding: chunked\r\n\r\n");
        let headers = "GET /openapi.json HTTP/1.1\r\nHost: x\r\nX-Slow: ";
        let slow = async {
            tokio::join!(
                dripping(&node, headers, b'a'),
                dripping(&node, "G", b'E'),
                dripping(&node, &sized, b'1'),
                // An endless line of zeros before the length of a chunk.
                dripping(&node, &chunked, b'0'),
                async { drained(&mut connect(&node).await).await },
            )
        };
        let caller = rest.as_customer(of.tenant, of.account);
        let served = async {
            loop {
                let path = format!("/v1/billing/usage?{DAYS}");
                let answer = caller.get(&path).await.expect("an answer");
                assert_eq!(answer.status, 200, "{}", answer.text);
                sleep(DRIP).await;
            }
        };
        let (first, second, third, fourth, silent) = tokio::select! {
            ended = slow => ended,
            never = served => never,
        };
        for answer in [&first, &second, &silent] {
            let served = answer.status.is_some_and(|it| !(400..500).contains(&it));
            assert!(!served, "{answer:?}");
        }
        assert_eq!(
            (third.status, third.code().as_str()),
            (Some(408), "body_too_slow")
        );
        let cut = [None, Some(400), Some(408)].contains(&fourth.status);
        assert!(cut, "{fourth:?}");
        calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}

#[test]
fn when_every_connection_is_held_by_the_slow_they_are_given_back() {
    run(async {
        let desk = desk().await;
        let (node, rest) = desk.node(&[("HTTP_CONNECTIONS_MAX", "3")]).await;
        let mut held = Vec::new();
        for _ in 0..3 {
            let mut stream = connect(&node).await;
            stream.write_all(b"GET / HTTP/1.1\r\n").await.expect("sent");
            held.push(stream);
        }
        let answer = timeout(PATIENCE, rest.as_nobody().get("/openapi.json")).await;
        let answer = answer.expect("a place is given back");
        assert_eq!(answer.expect("an answer").status, 200);
        for mut stream in held {
            let cut = drained(&mut stream).await;
            assert!(cut.status.is_none_or(|it| it == 408), "{cut:?}");
        }
        assert!(node.terminate().await.expect("it stops"));
    });
}
