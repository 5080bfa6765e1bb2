//! Whoever wants to be taken for the gateway (Kong), or to use its word for more than it said.

use tests::world::rest::{Rest, RestClient};

use crate::{
    fixture::run,
    rest::fixture::{Customer, DAYS, Gateway, calm, desk, problem, trusting},
};

/// The service as somebody reaches it whose certificate, of the authority that signs Kong's, has
/// this common name and these alternative names.
fn reached_as(gateway: &Gateway, rest: &Rest, common: &str, alternatives: &[&str]) -> Rest {
    let shown = gateway.authority.client_called(common, alternatives);
    let shown = shown.expect("a certificate");
    let tls = trusting(&gateway.authority, Some(shown));
    rest.reached(gateway.bare.base().to_owned(), tls)
}

/// A call with everything that Kong says of an API key.
fn with_key(rest: &Rest, of: Customer) -> RestClient {
    whole_tenant(rest, of).saying("x-account-id", &of.account.to_string())
}

/// The same, but for the account.
fn whole_tenant(rest: &Rest, of: Customer) -> RestClient {
    let caller = rest.as_nobody().saying("x-api-key-id", "key-1");
    let caller = caller.saying("x-scopes", "billing:read");
    caller.saying("x-tenant-id", &of.tenant.to_string())
}

fn usage(of: Customer) -> String {
    format!("/v1/billing/usage?{DAYS}&accountId={}", of.account)
}

#[test]
fn another_service_is_not_kong_because_its_common_name_says_so() {
    run(async {
        let (desk, gateway) = (desk().await, desk().await.gateway().await);
        let of = desk.customer().await;
        for (common, alternatives, status) in [
            ("connector", &["kong"][..], 200),
            ("kong", &["connector"], 401),
            ("kong", &[], 401),
            ("kong", &["kong.example", "not-kong", "*"], 401),
        ] {
            let rest = reached_as(gateway, &desk.rest, common, alternatives);
            let answer = with_key(&rest, of).get(&usage(of)).await;
            let answer = answer.expect("an answer");
            assert_eq!(answer.status, status, "{common} {alternatives:?}");
        }
        calm(&gateway.service);
    });
}

#[test]
fn a_call_that_shows_something_of_its_own_is_not_an_api_key() {
    run(async {
        let (desk, gateway) = (desk().await, desk().await.gateway().await);
        let of = desk.customer().await;
        let key = with_key(&gateway.kong, of);
        assert_eq!(key.get(&usage(of)).await.expect("an answer").status, 200);
        for shown in [
            "Basic eDp5",
            "Bearer",
            "bearer",
            "Bearer ",
            "Negotiate x",
            "x",
            "",
        ] {
            let caller = key.clone().saying("authorization", shown);
            let answer = caller.get(&usage(of)).await.expect("an answer");
            assert_eq!(problem(&answer).0, 401, "{shown:?}");
        }
        calm(&gateway.service);
    });
}

#[test]
fn an_api_key_without_an_account_does_not_stand_for_its_whole_tenant() {
    run(async {
        let (desk, gateway) = (desk().await, desk().await.gateway().await);
        let of = desk.customer().await;
        let key = whole_tenant(&gateway.kong, of);
        let none = [
            key.clone(),
            key.clone().saying("x-account-id", ""),
            key.clone().saying("x-account-id", "*"),
            with_key(&gateway.kong, of).saying("x-account-id", &of.account.to_string()),
        ];
        for caller in none {
            let answer = caller.get(&usage(of)).await.expect("an answer");
            assert_eq!(problem(&answer), (401, "no_credentials", ""));
        }
        calm(&gateway.service);
    });
}
