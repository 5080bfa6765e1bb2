//! What the headers of a call say of its caller.

use std::net::Ipv4Addr;

use axum::http::HeaderValue;
use rcgen::CertificateParams;
use serde_json::json;

use super::*;
use crate::http::problem::{Code, Problem};

/// Headers of a call.
fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let header = |(name, value): &(&'static str, &str)| {
        let value = HeaderValue::try_from(*value).expect("a header");
        (HeaderName::from_static(name), value)
    };
    let mut headers = HeaderMap::new();
    for (name, value) in pairs.iter().map(header) {
        headers.append(name, value);
    }
    headers
}

fn stranger() -> Peer {
    Peer::stranger(Ipv4Addr::LOCALHOST.into())
}

/// Somebody whose verified certificate has this alternative name.
fn known_as(name: &str) -> Peer {
    let params = CertificateParams::new([name.to_owned()]).expect("a name");
    let key = rcgen::KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("signed");
    Peer::verified(Ipv4Addr::LOCALHOST.into(), certificate.der())
}

#[tokio::test]
async fn headers_can_contradict_a_token_and_never_widen_it() {
    let issuer = Issuer::new();
    let identity = issuer.identity();
    let code = async |token: &str, more: &[(&'static str, &str)]| {
        let bearer = format!("Bearer {token}");
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend_from_slice(more);
        let caller = identity.of(&stranger(), &headers(&all)).await;
        caller.err().map(|stranger| Problem::from(stranger).code())
    };
    let own = issuer.token(json!({}));
    let upper = TENANT_ID.to_uppercase();
    assert_eq!(
        code(
            &own,
            &[("x-tenant-id", &upper), ("x-account-id", ACCOUNT_ID)]
        )
        .await,
        None
    );
    for other in [ACCOUNT_ID, "mine", ""] {
        let found = code(&own, &[("x-tenant-id", other)]).await;
        assert_eq!(found, Some(Code::TenantMismatch), "{other}");
    }
    let twice = [("x-tenant-id", TENANT_ID), ("x-tenant-id", ACCOUNT_ID)];
    assert_eq!(code(&own, &twice).await, Some(Code::TenantMismatch));
    let other = [("x-account-id", TENANT_ID)];
    assert_eq!(code(&own, &other).await, Some(Code::AccountMismatch));
    let whole = issuer.token(json!({"account_id": null}));
    assert_eq!(code(&whole, &other).await, None);
    assert_eq!(code("nonsense", &[]).await, Some(Code::InvalidToken));
    let two = [("authorization", "Bearer x")];
    assert_eq!(code(&own, &two).await, Some(Code::InvalidToken));
}

#[tokio::test]
async fn api_keys_are_believed_from_the_gateway_alone() {
    let identity = Issuer::new().identity();
    let key = [
        ("x-tenant-id", TENANT_ID),
        ("x-account-id", ACCOUNT_ID),
        ("x-api-key-id", "key-1"),
        ("x-scopes", "billing:read sms:send"),
    ];
    let of = async |peer: &Peer, pairs: &[(&'static str, &str)]| {
        let caller = identity.of(peer, &headers(pairs)).await;
        caller.map_err(|stranger| Problem::from(stranger).code())
    };
    let kong = known_as("kong");
    let caller = of(&kong, &key).await.expect("the gateway says so");
    let principal = &caller.principal;
    assert_eq!(principal.kind, Kind::ApiKey);
    assert_eq!((&*principal.issuer, &*principal.subject), ("kong", "key-1"));
    assert_eq!(
        caller.account.map(|id| id.to_string()).as_deref(),
        Some(ACCOUNT_ID)
    );
    assert!(caller.may(Right::BillingRead) && !caller.is_platform());

    let nobody = Err(Code::NoCredentials);
    assert_eq!(of(&stranger(), &key).await, nobody);
    assert_eq!(of(&known_as("kong2"), &key).await, nobody);
    assert_eq!(of(&kong, &key[..2]).await, nobody, "without a key");
    assert_eq!(of(&kong, &key[1..]).await, nobody, "without a tenant");
    let odd = [key[0], ("x-account-id", "mine"), key[2]];
    assert_eq!(of(&kong, &odd).await, nobody, "an account that is none");
    let whole = [key[0], key[2], key[3]];
    assert_eq!(of(&kong, &whole).await, nobody, "without an account");
    for other in ["Basic eDp5", "Bearer", "apikey", ""] {
        let beside = [&key[..], &[("authorization", other)]].concat();
        assert_eq!(of(&kong, &beside).await, nobody, "{other}");
    }

    let greedy = ("x-scopes", "billing:admin,platform.admin");
    let greedy = [key[0], key[1], key[2], greedy];
    let caller = of(&kong, &greedy).await.expect("the gateway says so");
    assert!(!caller.may(Right::BillingAdmin) && !caller.may(Right::BillingRead));
}

#[tokio::test]
async fn the_gateway_names_somebody() {
    let identity = Issuer::new().identity();
    for nobodys in ["x-tenant-id", "x-account-id"] {
        let key = [
            ("x-tenant-id", TENANT_ID),
            ("x-account-id", ACCOUNT_ID),
            ("x-api-key-id", "key-1"),
        ];
        let key = key.map(|(name, id)| (name, if name == nobodys { NOBODY } else { id }));
        let caller = identity.of(&known_as("kong"), &headers(&key)).await;
        let code = caller.map_err(|stranger| Problem::from(stranger).code());
        assert_eq!(code, Err(Code::NoCredentials), "{nobodys}");
    }
}

#[tokio::test]
async fn roles_give_rights_and_those_of_the_platform_only_to_its_own_people() {
    use Right::{Audit, BillingAdmin, BillingRead, Finance, ReadAnyAccount};
    let issuer = Issuer::new();
    let identity = issuer.identity();
    let table: [(&str, &[Right]); 9] = [
        ("account.admin", &[BillingRead]),
        ("account.viewer", &[BillingRead]),
        ("platform.admin", &[BillingRead, ReadAnyAccount]),
        ("platform.billing_admin", &[BillingAdmin]),
        ("platform.finance", &[BillingRead, ReadAnyAccount, Finance]),
        ("platform.auditor", &[Audit]),
        ("account.janitor", &[]),
        ("Platform.Admin", &[]),
        ("platform.nothing", &[]),
    ];
    for (role, expected) in table {
        let bearer = format!(
            "bearer {}",
            issuer.token(json!({"roles": [role], "scope": null}))
        );
        let headers = headers(&[("authorization", &bearer)]);
        let caller = identity.of(&stranger(), &headers).await.expect("known");
        let of_platform = role.starts_with("platform.") && !expected.is_empty();
        let customer =
            issuer.token(json!({"roles": [role], "scope": null, "tenant_id": ACCOUNT_ID}));
        let customer = self::headers(&[("authorization", &format!("bearer {customer}"))]);
        let customer = identity.of(&stranger(), &customer).await.expect("known");
        for right in [BillingRead, BillingAdmin, Finance, ReadAnyAccount, Audit] {
            let given = expected.contains(&right);
            assert_eq!(caller.may(right), given, "{role} {right}");
            assert_eq!(customer.may(right), given && !of_platform, "{role} {right}");
        }
        assert_eq!(caller.is_platform(), of_platform, "{role}");
        assert!(!customer.is_platform(), "{role}");
    }
}

#[tokio::test]
async fn a_role_that_gives_nothing_makes_nobody_one_of_the_platform() {
    let issuer = Issuer::new();
    let identity = issuer.identity();
    for (role, scope, expected) in [
        ("platform.finance", None, true),
        ("platform.finance", Some("billing:read"), true),
        ("platform.billing_admin", Some("billing:read"), false),
        ("platform.nothing", None, false),
    ] {
        let roles = json!(["account.viewer", role]);
        let token = issuer.token(json!({"roles": roles, "scope": scope}));
        let headers = headers(&[("authorization", &format!("bearer {token}"))]);
        let caller = identity.of(&stranger(), &headers).await.expect("known");
        // Customers read too; cost and margin are for the platform's people.
        assert!(caller.may(Right::BillingRead));
        assert_eq!(caller.is_platform(), expected, "{role} {scope:?}");
    }
}

#[tokio::test]
async fn a_scope_narrows_what_the_roles_give_and_never_adds_to_it() {
    use Right::{BillingAdmin, BillingRead, ReadAnyAccount};
    let issuer = Issuer::new();
    let identity = issuer.identity();
    let roles = json!(["platform.admin", "platform.billing_admin"]);
    let table: [(&str, &[Right]); 6] = [
        ("billing:read", &[BillingRead, ReadAnyAccount]),
        ("openid billing:admin", &[BillingAdmin]),
        (
            "billing:read billing:admin",
            &[BillingRead, ReadAnyAccount, BillingAdmin],
        ),
        ("openid profile", &[]),
        ("billing:finance", &[]),
        ("", &[]),
    ];
    for (scope, expected) in table {
        let token = issuer.token(json!({"roles": roles, "scope": scope}));
        let headers = headers(&[("authorization", &format!("bearer {token}"))]);
        let caller = identity.of(&stranger(), &headers).await.expect("known");
        for right in [BillingRead, ReadAnyAccount, BillingAdmin, Right::Finance] {
            assert_eq!(
                caller.may(right),
                expected.contains(&right),
                "{scope} {right}"
            );
        }
    }
}
