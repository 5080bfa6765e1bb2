//! TLS: what is spoken, whose certificates count, and new ones without a restart.

use std::sync::Arc;

use hyper::Method;
use rustls::pki_types::ServerName;
use tests::stack::certs::Authority;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::{
    fixture::{DAYS, calm, desk, trusting, write_pair},
    raw::connect,
};
use crate::fixture::{PATIENCE, eventually, run, unique};

/// The alert `protocol_version` (RFC 5246, 7.2).
const PROTOCOL_VERSION: u8 = 70;

/// The first message of a client that speaks at most this version, with one way to encrypt.
fn client_hello(version: [u8; 2], suite: [u8; 2]) -> Vec<u8> {
    let extensions: [&[u8]; 3] = [
        // Groups: x25519 and secp256r1.
        &[0, 10, 0, 6, 0, 4, 0, 29, 0, 23],
        // Points: uncompressed.
        &[0, 11, 0, 2, 1, 0],
        // Signatures: ecdsa_secp256r1_sha256 and ecdsa_sha1.
        &[0, 13, 0, 6, 0, 4, 4, 3, 2, 3],
    ];
    let extensions = extensions.concat();
    let mut body = version.to_vec();
    body.extend([7; 32]);
    // No session, one suite, no compression.
    body.extend([0, 0, 2, suite[0], suite[1], 1, 0]);
    body.extend([0, u8::try_from(extensions.len()).expect("short")]);
    body.extend(extensions);
    let length = u8::try_from(body.len()).expect("short");
    let handshake = [vec![1, 0, 0, length], body].concat();
    [vec![22, 3, 1, 0, length + 4], handshake].concat()
}

/// The type of the record that answers, and its last byte if it is short.
async fn greeted(hello: &[u8]) -> (u8, Option<u8>) {
    let gateway = desk().await.gateway().await;
    let mut stream = connect(&gateway.service).await;
    stream.write_all(hello).await.expect("sent");
    let mut bytes = [0; 7];
    let read = timeout(PATIENCE, stream.read_exact(&mut bytes)).await;
    read.expect("an answer").expect("a record");
    (bytes[0], (bytes[3..5] == [0, 2]).then_some(bytes[6]))
}

#[test]
fn nothing_older_than_tls_1_2_is_spoken() {
    run(async {
        // ECDHE-ECDSA with AES-128: in GCM for 1.2, with SHA-1 for what came before.
        let (modern, old) = ([0xc0, 0x2b], [0xc0, 0x09]);
        let (record, _) = greeted(&client_hello([3, 3], modern)).await;
        assert_eq!(record, 22, "TLS 1.2 is answered with a handshake");
        for (name, version) in [("1.1", [3, 2]), ("1.0", [3, 1]), ("SSL 3", [3, 0])] {
            for suite in [modern, old] {
                let alert = greeted(&client_hello(version, suite)).await;
                assert_eq!(alert, (21, Some(PROTOCOL_VERSION)), "{name}");
            }
        }
    });
}

#[test]
fn kongs_word_counts_with_kongs_certificate_alone() {
    run(async {
        let (desk, gateway) = (desk().await, desk().await.gateway().await);
        let customer = desk.customer().await;
        let path = format!("/v1/billing/usage?{DAYS}");
        let stranger = Authority::new("somebody else").expect("an authority");
        let forged = stranger.client("kong").expect("a certificate");
        let forged = trusting(&gateway.authority, Some(forged));
        let forged = desk.rest.reached(gateway.bare.base().to_owned(), forged);
        for (name, rest, status) in [
            ("kong", &gateway.kong, Some(200)),
            (
                "another name of the same authority",
                &gateway.other,
                Some(401),
            ),
            ("no certificate", &gateway.bare, Some(401)),
            ("kong by another authority", &forged, None),
            ("no TLS at all", &desk.rest, Some(401)),
        ] {
            let key = rest.as_nobody().saying("x-api-key-id", "key-1");
            let key = key.saying("x-scopes", "billing:read sms:send");
            let key = key.saying("x-tenant-id", &customer.tenant.to_string());
            let key = key.saying("x-account-id", &customer.account.to_string());
            let answer = key.get(&path).await.ok();
            assert_eq!(answer.map(|answer| answer.status), status, "{name}");
        }
        // Without a key, a tenant or an account, Kong itself is nobody; without a scope it may
        // nothing.
        let all = [
            ("x-api-key-id", "key-1".to_owned()),
            ("x-scopes", "billing:read".to_owned()),
            ("x-tenant-id", customer.tenant.to_string()),
            ("x-account-id", customer.account.to_string()),
        ];
        for (missing, status) in [
            ("x-api-key-id", 401),
            ("x-tenant-id", 401),
            ("x-account-id", 401),
            ("x-scopes", 403),
        ] {
            let mut caller = gateway.kong.as_nobody();
            for (name, value) in all.iter().filter(|(name, _)| *name != missing) {
                caller = caller.saying(name, value);
            }
            let answer = caller.get(&path).await.expect("an answer");
            assert_eq!(answer.status, status, "without {missing}");
        }
        // Kong also passes tokens on, and then the token says who it is.
        let viewer = gateway.kong.as_customer(customer.tenant, customer.account);
        let answer = viewer.get(&path).await.expect("an answer");
        assert_eq!(answer.status, 200);
        let body = serde_json::json!({});
        let greedy = viewer.saying("x-scopes", "billing:admin");
        let greedy = greedy.call(Method::POST, "/v1/admin/pricing", Some(&body));
        assert_eq!(greedy.await.expect("an answer").status, 403);
        calm(&gateway.service);
    });
}

#[test]
fn a_new_certificate_is_shown_without_a_restart() {
    run(async {
        let desk = desk().await;
        let name = unique().simple();
        let cert = desk.world.path(&format!("{name}.crt"));
        let key = desk.world.path(&format!("{name}.key"));
        let [old, new] = ["old", "new"].map(|name| Authority::new(name).expect("an authority"));
        write_pair(&old, &cert, &key);
        let (cert_file, key_file) = (cert.display().to_string(), key.display().to_string());
        let more = [
            ("BILLING_TLS_CERT_FILE", cert_file.as_str()),
            ("BILLING_TLS_KEY_FILE", key_file.as_str()),
        ];
        let (node, _) = desk.node(&more).await;
        let pid = node.pid();
        let trusted = async |authority: &Authority| {
            let connector = tls_connector(authority);
            let name = ServerName::try_from("localhost").expect("a name");
            let stream = connect(&node).await;
            connector.connect(name, stream).await.is_ok()
        };
        assert!(trusted(&old).await && !trusted(&new).await);
        write_pair(&new, &cert, &key);
        eventually("the new certificate is shown", async || {
            trusted(&new).await.then_some(())
        })
        .await;
        assert!(!trusted(&old).await, "and the old one is not");
        assert_eq!(node.pid(), pid);
        calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}

fn tls_connector(authority: &Authority) -> tokio_rustls::TlsConnector {
    tokio_rustls::TlsConnector::from(Arc::new(trusting(authority, None)))
}
