//! Whoever hangs up, or sends too slowly, leaves nothing behind and holds up nobody.

use hyper::Method;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::fixture::{Carrier, Carriers, PATH, carriers, statement};
use crate::fixture::{eventually, run, unique};

/// A caller who has sent the head and the first lines of a long statement.
async fn half(carriers: &Carriers, carrier: &Carrier, address: &str) -> TcpStream {
    let caller = carriers.rest.as_billing_admin();
    let token = caller.token().await.expect("made").expect("a token");
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let head = format!(
        "PUT {PATH}/{}?operatorId={}&from=2026-01-01&to=2026-01-31&currency=EUR HTTP/1.1\r\n\
         host: billing\r\nauthorization: Bearer {token}\r\ncontent-type: text/csv\r\n\
         content-length: 100000000\r\n\r\n",
        unique(),
        carrier.operator
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    let operator = carrier.operator.simple();
    let lines: Vec<String> = (0..20_000)
        .map(|number| format!("{operator}-{number}"))
        .collect();
    let lines: Vec<_> = lines
        .iter()
        .map(|id| (id.as_str(), "DELIVRD", 1, ""))
        .collect();
    stream
        .write_all(statement(&lines).as_bytes())
        .await
        .expect("sent");
    stream
}

/// How many of the carrier's lines are put down.
async fn staged(carriers: &Carriers, carrier: &Carrier) -> i64 {
    let sql = "select count(*) from billing.operator_statement_lines
        where starts_with(operator_message_id, $1)";
    let operator = carrier.operator.simple().to_string();
    let row = carriers.database.query_one(sql, &[&operator]).await;
    row.expect("reads").get(0)
}

#[test]
fn whoever_hangs_up_in_the_middle_leaves_nothing_behind() {
    run(async {
        let carriers = carriers().await;
        let carrier = carriers.carrier().await;
        let address = carriers.billing.rest_address();
        let stream = half(carriers, &carrier, &address).await;
        eventually("lines are put down", async || {
            (staged(carriers, &carrier).await > 0).then_some(())
        })
        .await;
        drop(stream);
        carriers.cleared().await;
    });
}

#[test]
fn whoever_sends_too_slowly_is_refused_and_holds_no_connection_to_postgres() {
    run(async {
        let carriers = carriers().await;
        let carrier = carriers.carrier().await;
        let more = [("HTTP_UPLOAD_TIMEOUT", "8s"), ("DB_POOL_QUESTIONS", "1")];
        let node = carriers.desk.world.billing(&more).await.expect("a service");
        let rest = carriers.desk.world.rest(&node).await.expect("reached");
        let address = node.rest_address();
        let mut stream = half(carriers, &carrier, &address).await;
        eventually("lines are put down", async || {
            (staged(carriers, &carrier).await > 0).then_some(())
        })
        .await;
        // The only connection for questions is free while the file does not come.
        let list = rest.as_billing_admin().get(PATH).await.expect("an answer");
        assert_eq!(list.status, 200, "{}", list.text);
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("an answer");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("body_too_slow"), "{answer}");
        carriers.cleared().await;
    });
}

#[test]
fn beside_two_that_are_being_brought_a_third_is_asked_to_come_again() {
    run(async {
        // In a world of its own, for what the two have put down lies there a long time.
        let carriers = &Carriers::open().await;
        let [first, second] = [carriers.carrier().await, carriers.carrier().await];
        let address = carriers.billing.rest_address();
        let mut streams = Vec::new();
        for carrier in [&first, &second] {
            streams.push(half(carriers, carrier, &address).await);
            eventually("it is being read", async || {
                (staged(carriers, carrier).await > 0).then_some(())
            })
            .await;
        }
        let bring = async || {
            let path = format!(
                "{PATH}/{}?operatorId={}&from=2026-01-01&to=2026-01-31&currency=EUR",
                unique(),
                first.operator
            );
            let file = statement(&[("nobody-knows-this", "DELIVRD", 1, "")]);
            let file = Some(("text/csv", file.into()));
            let caller = carriers.rest.as_billing_admin();
            caller
                .send(Method::PUT, &path, file)
                .await
                .expect("an answer")
        };
        let third = bring().await;
        assert_eq!((third.status, third.code()), (503, Some("contended")));
        assert!(third.header("retry-after").is_some());
        // A place is free as soon as one of them hangs up.
        drop(streams.pop());
        let again = bring().await;
        assert_eq!(again.status, 201, "{}", again.text);
        drop(streams);
        carriers.cleared().await;
    });
}

#[test]
fn what_a_process_that_died_left_behind_is_cleared_by_the_next() {
    run(async {
        let carriers = carriers().await;
        let carrier = carriers.carrier().await;
        let left = unique();
        for sql in [
            "insert into billing.operator_statement_uploads (upload, began_at)
                values ($1, now() - interval '3 hours')",
            "insert into billing.operator_statement_lines
                (upload, line, operator_message_id, status, segments)
                values ($1, 2, 'left', 'DELIVERED', 1)",
        ] {
            carriers
                .database
                .execute(sql, &[&left])
                .await
                .expect("a superuser may");
        }
        let file = statement(&[("another", "DELIVRD", 1, "0.02")]);
        carriers.compare(&carrier, &file).await;
        carriers.cleared().await;
    });
}
