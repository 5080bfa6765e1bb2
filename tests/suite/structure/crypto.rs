//! One crypto library: ring, which rustls brings. What dependencies bring of another for their own
//! protocols is listed here, with who brings it, and nothing of ours may use it (ADR 0039).

use std::collections::BTreeMap;

use super::dependencies::linked_by;

/// What seals, hashes or signs, as far as names tell.
const KINDS: [&str; 36] = [
    "aes",
    "argon2",
    "aws-lc",
    "bcrypt",
    "blake",
    "boring",
    "chacha",
    "cipher",
    "crypto",
    "curve",
    "digest",
    "dryoc",
    "ecdsa",
    "ed25519",
    "elliptic",
    "ghash",
    "gcrypt",
    "graviola",
    "hkdf",
    "hmac",
    "k256",
    "mbedtls",
    "md-5",
    "md5",
    "native-tls",
    "openssl",
    "orion",
    "p256",
    "p384",
    "pbkdf",
    "polyval",
    "rsa",
    "scrypt",
    "sha1",
    "sha2",
    "sodium",
];

/// What is let in beside ring, and by whom: for what.
const LET_IN: [(&str, &[&str]); 11] = [
    // Passwords of Postgres (SCRAM, MD5) and what binds them to the connection.
    (
        "sha2",
        &[
            "ed25519-dalek",
            "postgres-protocol",
            "tokio-postgres-rustls",
        ],
    ),
    ("hmac", &["postgres-protocol"]),
    ("md-5", &["postgres-protocol"]),
    // Keys of NATS users, which we have none of: they come with certificates.
    ("ed25519", &["ed25519-dalek", "nkeys"]),
    ("ed25519-dalek", &["nkeys"]),
    ("curve25519-dalek", &["ed25519-dalek"]),
    // Traits of the above.
    (
        "digest",
        &["curve25519-dalek", "hmac", "md-5", "sha2", "signature"],
    ),
    ("crypto-common", &["digest"]),
    // Random numbers that protect nothing, ids derived from names, and a look for certificates.
    ("chacha20", &["rand"]),
    ("sha1_smol", &["uuid"]),
    ("openssl-probe", &["rustls-native-certs"]),
];

/// What is wrong with these crates, each with those that need it.
fn wrong(linked: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let crypto = linked.iter().filter(|(name, _)| {
        KINDS.iter().any(|kind| name.starts_with(kind))
            || name.ends_with("-sys") && name.contains("lc")
    });
    let mut wrong = Vec::new();
    for (name, users) in crypto {
        let known = LET_IN.iter().find(|(known, _)| known == name);
        let let_in = known.map_or(&[][..], |(_, by)| by);
        let others = users.iter().filter(|user| !let_in.contains(&user.as_str()));
        wrong.extend(others.map(|user| format!("{user} brings {name}")));
    }
    wrong
}

#[test]
fn ring_is_the_one_crypto_library_and_others_come_only_where_it_is_known_what_for() {
    let linked = linked_by();
    let ring = linked.get("ring").expect("it is linked");
    for ours in ["eventstore", "api", "rustls"] {
        assert!(ring.iter().any(|user| user == ours), "{ours}: {ring:?}");
    }
    assert_eq!(wrong(&linked), Vec::<String>::new());
    for (name, _) in LET_IN {
        assert!(
            linked.contains_key(name),
            "{name} is gone: take it off the list"
        );
    }
}

#[test]
fn a_second_crypto_library_is_found_whoever_brings_it() {
    let brought = |name: &str, by: &str| BTreeMap::from([(name.to_owned(), vec![by.to_owned()])]);
    for (name, by) in [
        ("aws-lc-rs", "rustls"),
        ("openssl", "tokio-native-tls"),
        ("sha2", "eventstore"),
        ("hmac", "jsonwebtoken"),
        ("aes-gcm", "api"),
    ] {
        assert_eq!(wrong(&brought(name, by)), [format!("{by} brings {name}")]);
    }
    assert!(wrong(&brought("sha2", "postgres-protocol")).is_empty());
}
