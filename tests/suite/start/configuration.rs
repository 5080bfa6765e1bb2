//! Wrong settings: exit code 2, one line, before anything connects.

use std::{collections::BTreeMap, fs};

use tempfile::TempDir;

use crate::fixture::{MASTER_KEY, run, tollbook, waits_for};

/// In every value that is wrong, as a secret in the wrong place would be.
const SECRET: &str = "hunter2";

/// Settings that are right, for servers that do not exist.
fn right(folder: &TempDir) -> BTreeMap<&'static str, String> {
    let key = folder.path().join("key");
    fs::write(&key, MASTER_KEY).expect("written");
    BTreeMap::from([
        ("DATABASE_URL", "postgres://dlr_svc@127.0.0.1:9/none".into()),
        ("NATS_URL", "nats://127.0.0.1:9".into()),
        ("MASTER_KEY_FILE", key.display().to_string()),
        ("PROBE_ADDRESS", "127.0.0.1".into()),
        ("PROBE_PORT", "0".into()),
    ])
}

/// The same for `tollbook billing`, with the keys of an issuer.
async fn right_for_billing(folder: &TempDir) -> BTreeMap<&'static str, String> {
    let keys = folder.path().join("keys").display().to_string();
    let made = tollbook(&["dev", "keys", "--write", &keys], &BTreeMap::new()).await;
    assert_eq!(made.code, Some(0), "{made:?}");
    let mut variables = right(folder);
    variables.extend([
        ("BILLING_ADDRESS", "127.0.0.1".to_owned()),
        ("BILLING_PORT", "0".to_owned()),
        ("JWT_ISSUER", "https://identity.example".to_owned()),
        ("JWT_AUDIENCE", "billing".to_owned()),
        ("JWT_JWKS_FILE", format!("{keys}/jwks.json")),
    ]);
    variables
}

/// The line with which `tollbook dlr` refuses to start.
async fn refusal(variables: &BTreeMap<&str, String>) -> String {
    refusal_of("dlr", variables).await
}

async fn refusal_of(service: &str, variables: &BTreeMap<&str, String>) -> String {
    let ended = tollbook(&[service], variables).await;
    assert_eq!(ended.code, Some(2), "{variables:?}: {ended:?}");
    assert_eq!(ended.out, "", "nothing on stdout");
    let lines: Vec<_> = ended.err.lines().collect();
    assert_eq!(lines.len(), 1, "one line: {}", ended.err);
    assert!(!ended.err.contains(SECRET), "it repeats the value");
    lines[0].to_owned()
}

#[test]
fn a_missing_setting_is_named() {
    run(async {
        let folder = TempDir::new().expect("a folder");
        for key in ["DATABASE_URL", "MASTER_KEY_FILE"] {
            let mut variables = right(&folder);
            assert!(variables.remove(key).is_some());
            let line = refusal(&variables).await;
            assert_eq!(line, format!("tollbook: {key}: is needed and not set"));
        }
        let mut half = right(&folder);
        half.insert("NATS_CERT_FILE", half["MASTER_KEY_FILE"].clone());
        assert!(refusal(&half).await.contains("NATS_KEY_FILE"));
    });
}

#[test]
fn a_value_that_cannot_be_is_named_and_not_repeated() {
    run(async {
        let folder = TempDir::new().expect("a folder");
        let garbage = folder.path().join("garbage");
        fs::write(&garbage, SECRET).expect("written");
        let garbage = garbage.display().to_string();
        for (key, value) in [
            ("DATABASE_URL", "hunter2"),
            (
                "DATABASE_URL",
                "postgres://dlr_svc:hunter2@db.example/tollbook",
            ),
            (
                "DATABASE_URL",
                "postgres://dlr_svc:hunter2@db.example/t?sslmode=require",
            ),
            ("DATABASE_URL_FILE", "/nowhere/url"),
            ("DATABASE_CA_FILE", "/nowhere/ca.pem"),
            ("DB_POOL_MAX", "0"),
            ("DB_POOL_MAX", "hunter2"),
            ("NATS_URL", "http://hunter2"),
            ("NATS_URL", "nats://u:hunter2@nats.example:4222"),
            ("NATS_CA_FILE", "/nowhere/ca.pem"),
            ("NATS_STREAM_DLR", "hunter2.>"),
            ("MASTER_KEY_FILE", "/nowhere/key"),
            ("MASTER_KEY_FILE", &garbage),
            ("DLR_GRACE", "5"),
            ("DLR_GRACE", "hunter2"),
            ("DLR_ORPHAN_KEEP", "0s"),
            ("DLR_BATCH", "0"),
            ("DLR_MAX_ACK_PENDING", "-1"),
            ("PROBE_PORT", "70000"),
            ("PROBE_ADDRESS", "hunter2"),
            ("LOG_LEVEL", "hunter2"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "hunter2"),
            ("OTEL_TRACES_SAMPLER_ARG", "2"),
            ("TOLLBOOK_CONFIG", "/nowhere/tollbook.toml"),
        ] {
            let mut variables = right(&folder);
            variables.insert(key, value.to_owned());
            let line = refusal(&variables).await;
            let named = key.strip_suffix("_URL_FILE").unwrap_or(key);
            let encryption = line.contains("DATABASE_CA_FILE") && value.contains("sslmode");
            assert!(line.contains(named) || encryption, "{key}={value}: {line}");
        }
    });
}

#[test]
fn billing_says_whom_it_is_to_believe_and_how_it_is_reached_or_does_not_start() {
    run(async {
        let folder = TempDir::new().expect("a folder");
        let good = right_for_billing(&folder).await;
        for key in ["JWT_ISSUER", "JWT_AUDIENCE", "JWT_JWKS_FILE"] {
            let mut variables = good.clone();
            assert!(variables.remove(key).is_some());
            let line = refusal_of("billing", &variables).await;
            assert_eq!(line, format!("tollbook: {key}: is needed and not set"));
        }
        let garbage = folder.path().join("garbage");
        fs::write(&garbage, "{\"keys\": [\"hunter2\"]}").expect("written");
        let garbage = garbage.display().to_string();
        for (key, value, named) in [
            ("JWT_ISSUER", "", "JWT_ISSUER"),
            ("JWT_JWKS_FILE", "/nowhere/jwks.json", "JWT_JWKS_FILE"),
            ("JWT_JWKS_FILE", &garbage, "JWT_JWKS_FILE"),
            // Two sources of keys are one too many.
            (
                "JWT_JWKS_URL",
                "https://hunter2.example/keys",
                "JWT_JWKS_FILE",
            ),
            // Whose names would be looked for in certificates that nobody asks for?
            (
                "BILLING_KONG_SUBJECT",
                "hunter2",
                "BILLING_TLS_CLIENT_CA_FILE",
            ),
            (
                "BILLING_TLS_CLIENT_CA_FILE",
                &garbage,
                "BILLING_TLS_KEY_FILE",
            ),
            ("BILLING_TLS_CERT_FILE", &garbage, "BILLING_TLS_KEY_FILE"),
            (
                "BILLING_TLS_KEY_FILE",
                "/nowhere/key",
                "BILLING_TLS_KEY_FILE",
            ),
            ("BILLING_ADDRESS", "hunter2", "BILLING_ADDRESS"),
            ("BILLING_PORT", "70000", "BILLING_PORT"),
            ("HTTP_RATE", "0", "HTTP_RATE"),
            ("HTTP_BURST", "hunter2", "HTTP_BURST"),
            ("HTTP_TENANT_RATE", "0", "HTTP_TENANT_RATE"),
            ("JWT_ISSUER", "hunter2 issuer", "JWT_ISSUER"),
            ("JWT_JWKS_MAX_AGE", "hunter2", "JWT_JWKS_MAX_AGE"),
            ("JWT_PLATFORM_TENANTS", "hunter2", "JWT_PLATFORM_TENANTS"),
            ("HTTP_BODY_MAX", "5", "HTTP_BODY_MAX"),
            ("HTTP_TIMEOUT", "10", "HTTP_TIMEOUT"),
            ("HTTP_CONNECTIONS_MAX", "0", "HTTP_CONNECTIONS_MAX"),
            (
                "BILLING_CONSUMER_ENABLED",
                "hunter2",
                "BILLING_CONSUMER_ENABLED",
            ),
        ] {
            let mut variables = good.clone();
            variables.insert(key, value.to_owned());
            let line = refusal_of("billing", &variables).await;
            assert!(line.contains(named), "{key}={value}: {line}");
        }
        let mut unsafe_keys = good.clone();
        unsafe_keys.remove("JWT_JWKS_FILE");
        unsafe_keys.insert("JWT_JWKS_URL", "http://identity.example/hunter2".to_owned());
        let line = refusal_of("billing", &unsafe_keys).await;
        assert!(line.contains("JWT_JWKS_URL: must be https://"), "{line}");
        // Nothing is wrong with the rest of it.
        waits_for("postgres", &["billing"], &good).await;
    });
}

#[test]
fn the_file_is_read_and_its_mistakes_are_named() {
    run(async {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("tollbook.toml");
        let mut variables = right(&folder);
        variables.insert("TOLLBOOK_CONFIG", path.display().to_string());
        for (text, told) in [
            ("dlr_grase = \"hunter2\"", "dlr_grase"),
            ("dlr_grace = \"hunter2\"", "DLR_GRACE"),
            ("dlr_grace = { s = \"hunter2\" }", "dlr_grace"),
            ("\n\nhunter2 = = 1", "line 3"),
        ] {
            fs::write(&path, text).expect("written");
            let line = refusal(&variables).await;
            assert!(line.contains(told), "{text}: {line}");
        }
    });
}

#[test]
fn a_secret_is_not_taken_from_the_command_line() {
    run(async {
        let folder = TempDir::new().expect("a folder");
        let args = ["dlr", "--database-url", "postgres://u:hunter2@127.0.0.1/x"];
        let ended = tollbook(&args, &right(&folder)).await;
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.err.contains("DATABASE_URL"), "{}", ended.err);
        assert!(!ended.err.contains(SECRET), "{}", ended.err);
    });
}

#[test]
fn right_settings_for_servers_that_are_away_are_no_configuration_mistake() {
    run(async {
        let folder = TempDir::new().expect("a folder");
        waits_for("postgres", &["dlr"], &right(&folder)).await;
    });
}
