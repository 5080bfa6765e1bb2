//! Tables take as long as their readers do, and cost nobody else anything meanwhile.

use tests::world::{Service, rest::RestClient};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{CHARGES, page, rows, seed, table};
use crate::{
    fixture::{eventually, run},
    rest::{
        fixture::{Customer, calm, desk},
        raw::connect,
    },
};

/// More than a connection holds before it is read from.
const MANY: i64 = 60_000;

/// Begins to read a table, and takes only its head.
async fn begun(service: &Service, caller: &RestClient) -> TcpStream {
    let token = caller.token().await.expect("made").expect("a token");
    let mut stream = connect(service).await;
    let request = format!(
        "GET {CHARGES} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Accept: text/csv\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut head = [0; 15];
    stream.read_exact(&mut head).await.expect("an answer");
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    stream
}

#[test]
fn whoever_reads_slowly_holds_no_connection_and_whoever_hangs_up_gives_all_back() {
    run(async {
        let (desk, of) = (desk().await, Customer::nobody());
        seed(desk, of, MANY).await;
        let more = [
            ("DB_POOL_QUESTIONS", "1"),
            ("HTTP_TENANT_EXPORTS", "1"),
            ("HTTP_EXPORTS_MAX", "2"),
        ];
        let (node, rest) = desk.node(&more).await;
        let caller = rest.as_customer(of.tenant, of.account);
        let slow = begun(&node, &caller).await;
        // The one connection for questions is free, though the table is far from sent.
        assert_eq!(rows(&page(&caller, "limit=50").await).len(), 50);
        let wants = caller.clone().saying("accept", "text/csv");
        let refused = wants.get(CHARGES).await.expect("an answer");
        assert_eq!(
            (refused.status, refused.code()),
            (429, Some("too_many_requests"))
        );
        assert_eq!(refused.header("retry-after"), Some("10"));
        let other = Customer::nobody();
        seed(desk, other, 10).await;
        let others = rest.as_customer(other.tenant, other.account);
        assert_eq!(table(&others, "").await.1.len(), 10);
        drop(slow);
        eventually("its place is given back", async || {
            let answer = wants.get(&format!("{CHARGES}?status=EXPIRED")).await;
            (answer.expect("an answer").status == 200).then_some(())
        })
        .await;
        let (_, all) = table(&caller, "").await;
        assert_eq!(i64::try_from(all.len()), Ok(MANY));
        calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}
