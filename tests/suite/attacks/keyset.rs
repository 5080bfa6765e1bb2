//! Somebody with a stolen signing key, after the issuer has withdrawn it, or cut off from it.

use std::sync::{Arc, Mutex};

use tests::world::{Rest, Service};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};
use uuid::Uuid;

use crate::{
    fixture::{eventually, run, unique},
    rest::{
        fixture::{DAYS, Desk, calm, desk},
        tokens::claims,
    },
};

/// A set that withdraws every key.
const EMPTY: &str = "{\"keys\":[]}";
/// For how long the keys count here that nobody confirms.
const MAX_AGE: (&str, &str) = ("JWT_JWKS_MAX_AGE", "6s");

/// The issuer's web address, as long as it answers.
struct Issuer {
    set: Arc<Mutex<String>>,
    url: String,
    serving: JoinHandle<()>,
}

impl Issuer {
    async fn publishing(set: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/keys", listener.local_addr().expect("bound"));
        let set = Arc::new(Mutex::new(set.to_owned()));
        let serving = tokio::spawn(serve(listener, Arc::clone(&set)));
        Self { set, url, serving }
    }

    fn publish(&self, set: &str) {
        set.clone_into(&mut self.set.lock().expect("not poisoned"));
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Answers each request with the set of the moment, and closes.
async fn serve(listener: TcpListener, set: Arc<Mutex<String>>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await;
        let set = set.lock().expect("not poisoned").clone();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n", set.len());
        let answer = format!("{head}connection: close\r\n\r\n{set}");
        let _ = stream.write_all(answer.as_bytes()).await;
    }
}

/// A service whose keys come from `issuer` alone.
async fn believing(desk: &Desk, issuer: &Issuer) -> (Service, Rest) {
    let more = [("JWT_JWKS_URL", issuer.url.as_str()), MAX_AGE];
    let node = desk.world.billing_without("JWT_JWKS_FILE", &more).await;
    let node = node.expect("a service");
    let rest = desk.world.rest(&node).await.expect("reached");
    (node, rest)
}

/// A token that the stolen key has signed.
fn token(desk: &Desk) -> String {
    let mut said = claims("anna", "account.viewer", Uuid::from_u128(7));
    said["account_id"] = serde_json::json!(Uuid::from_u128(8));
    desk.issuer.token(&said)
}

/// How a call with the token is answered.
async fn status(rest: &Rest, token: &str) -> u16 {
    let path = format!("/v1/billing/usage?{DAYS}");
    let answer = rest.with_token(token).get(&path).await;
    answer.expect("an answer").status
}

async fn refused(rest: &Rest, token: &str) {
    eventually("the stolen key is refused", async || {
        (status(rest, token).await == 401).then_some(())
    })
    .await;
}

#[test]
fn an_issuer_that_withdraws_all_keys_is_obeyed() {
    run(async {
        let desk = desk().await;
        let (issuer, token) = (Issuer::publishing(&desk.issuer.jwks).await, token(desk));
        let (node, rest) = believing(desk, &issuer).await;
        assert_eq!(status(&rest, &token).await, 200);
        assert_eq!(node.metric("billing_jwks_keys").await, Some(1));
        issuer.publish(EMPTY);
        refused(&rest, &token).await;
        assert_eq!(node.metric("billing_jwks_keys").await, Some(0));
        issuer.publish(&desk.issuer.jwks);
        eventually("new keys are taken again", async || {
            (status(&rest, &token).await == 200).then_some(())
        })
        .await;
        calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}

#[test]
fn a_file_that_withdraws_all_keys_is_obeyed() {
    run(async {
        let (desk, token) = (desk().await, token(desk().await));
        let path = desk.world.path(&format!("jwks-{}.json", unique().simple()));
        std::fs::write(&path, &desk.issuer.jwks).expect("written");
        let file = path.display().to_string();
        let (node, rest) = desk.node(&[("JWT_JWKS_FILE", &file)]).await;
        assert_eq!(status(&rest, &token).await, 200);
        std::fs::write(&path, EMPTY).expect("written");
        refused(&rest, &token).await;
        eventually("it is told", async || {
            let log = node.log();
            log.contains("identity.keys_withdrawn").then_some(())
        })
        .await;
        calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}

#[test]
fn keys_that_nobody_confirms_end_and_their_age_is_shown() {
    run(async {
        let desk = desk().await;
        let (issuer, token) = (Issuer::publishing(&desk.issuer.jwks).await, token(desk));
        let (node, rest) = believing(desk, &issuer).await;
        assert_eq!(status(&rest, &token).await, 200);
        // Whoever keeps us from the issuer keeps the stolen key alive no longer than that.
        issuer.publish("<html>come back later</html>");
        refused(&rest, &token).await;
        let age = node.metric("billing_jwks_age_seconds").await;
        assert!(age.is_some_and(|age| age >= 6), "{age:?}");
        eventually("the log says that they ended", async || {
            node.log().contains("identity.keys_ended").then_some(())
        })
        .await;
        issuer.publish(&desk.issuer.jwks);
        eventually("the same keys are believed again", async || {
            (status(&rest, &token).await == 200).then_some(())
        })
        .await;
        assert!(node.terminate().await.expect("it stops"));
    });
}
