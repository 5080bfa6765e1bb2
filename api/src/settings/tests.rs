//! What belongs together at the REST port is checked by the name of its key.

use clap::{CommandFactory, Parser};

use super::{HttpSettings, IdentitySettings};
use crate::dev::SigningKey;

#[derive(Parser)]
struct Edge {
    #[command(flatten)]
    http: HttpSettings,
    #[command(flatten)]
    identity: IdentitySettings,
}

fn edge(arguments: &[&str]) -> Edge {
    let program = std::iter::once(&"edge");
    Edge::try_parse_from(program.chain(arguments)).expect("parses")
}

#[test]
fn the_defaults_are_modest() {
    let settings = edge(&["--billing-address", "127.0.0.1"]).http;
    let server = settings.server().expect("good");
    assert_eq!(server.address.to_string(), "127.0.0.1:3020");
    assert!(server.tls.is_none());
    assert_eq!(
        (server.connections_max, server.connections_per_address),
        (1_000, 250)
    );
    assert_eq!(server.life.as_secs(), 3_600);
    assert_eq!(settings.body().max, 65_536);
    assert_eq!(settings.body().patience.as_secs(), 5);
    let allowance = settings.allowance();
    assert_eq!((allowance.rate.get(), allowance.burst.get()), (50, 100));
    assert_eq!(edge(&[]).identity.jwt_platform_tenants, []);
    let tenant = settings.tenant_allowance();
    assert_eq!((tenant.rate.get(), tenant.burst.get()), (200, 400));
}

#[test]
fn without_tls_nobody_else_is_listened_to() {
    let error = edge(&[]).http.server().expect_err("refused").to_string();
    assert!(
        error.starts_with("BILLING_TLS_CERT_FILE: is needed"),
        "{error}"
    );
}

#[test]
fn half_of_a_pair_is_refused() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for (arguments, expected) in [
        (
            vec!["--billing-tls-cert-file", file],
            "BILLING_TLS_KEY_FILE: is needed",
        ),
        (
            vec!["--billing-tls-key-file", file],
            "BILLING_TLS_CERT_FILE: is needed",
        ),
        (
            vec!["--billing-tls-client-ca-file", file],
            "BILLING_TLS_KEY_FILE: is needed",
        ),
        (
            vec!["--billing-tls-cert-file", "/nowhere"],
            "BILLING_TLS_CERT_FILE: cannot read",
        ),
    ] {
        let error = edge(&arguments).http.server().expect_err("refused");
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[test]
fn whom_to_believe_must_be_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("jwks.json");
    let key = SigningKey::generate().expect("a key");
    std::fs::write(&file, key.jwks().to_string()).expect("writes");
    let file = file.to_str().expect("UTF-8");
    let names = ["--jwt-issuer", "me", "--jwt-audience", "you"];
    let with = |more: &[&str]| {
        let settings = edge(&[&names, more].concat());
        let identity = settings.identity.identity(&settings.http);
        identity.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(with(&["--jwt-jwks-file", file]), Ok(()));
    assert_eq!(with(&["--jwt-jwks-url", "https://issuer/keys"]), Ok(()));
    assert_eq!(with(&["--jwt-jwks-url", "http://127.0.0.1/keys"]), Ok(()));
    for (more, expected) in [
        (vec![], "JWT_JWKS_FILE: is needed"),
        (
            vec!["--jwt-jwks-url", "http://issuer/keys"],
            "JWT_JWKS_URL: must be https",
        ),
        (
            vec!["--jwt-jwks-url", "/keys"],
            "JWT_JWKS_URL: must be https",
        ),
        (
            vec!["--jwt-jwks-file", "/nowhere"],
            "JWT_JWKS_FILE: cannot read",
        ),
        (
            vec!["--jwt-jwks-file", file, "--jwt-jwks-url", "https://issuer/"],
            "JWT_JWKS_FILE: JWT_JWKS_URL is set",
        ),
        (
            vec!["--jwt-jwks-file", file, "--billing-kong-subject", "kong"],
            "BILLING_TLS_CLIENT_CA_FILE: is needed",
        ),
    ] {
        let error = with(&more).expect_err("refused");
        assert!(error.starts_with(expected), "{error}");
    }
    let unnamed = edge(&["--jwt-jwks-file", file]);
    let error = unnamed
        .identity
        .identity(&unnamed.http)
        .expect_err("refused");
    assert!(
        error.to_string().starts_with("JWT_ISSUER: is needed"),
        "{error}"
    );
}

#[test]
fn a_setting_is_named_by_its_variable() {
    for argument in Edge::command().get_arguments() {
        let Some(variable) = argument.get_env() else {
            continue;
        };
        let variable = variable.to_string_lossy().to_lowercase();
        assert_eq!(variable, argument.get_id().as_str());
        assert!(argument.get_help().is_some(), "{variable}");
    }
}
