//! What is the same for every endpoint: request ids, methods, routes, and how often.

use std::collections::BTreeSet;

use hyper::Method;
use uuid::Uuid;

use super::fixture::{DAYS, calm, desk, problem};
use crate::fixture::{eventually, run, unique};

const METHODS: [Method; 8] = [
    Method::GET,
    Method::PUT,
    Method::POST,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
    Method::HEAD,
];

#[test]
fn a_path_answers_the_methods_it_documents_and_names_them() {
    run(async {
        let desk = desk().await;
        let document = desk.rest.as_nobody().get("/openapi.json").await;
        let document = document.expect("an answer").body;
        let paths = document["paths"].as_object().expect("paths");
        assert!(paths.len() >= 7);
        for (path, methods) in paths {
            let known: BTreeSet<_> = methods
                .as_object()
                .expect("methods")
                .keys()
                .map(|method| method.to_uppercase())
                .collect();
            let path = fill(path);
            for method in METHODS {
                let answered = known.contains(method.as_str())
                    || (method == Method::HEAD && known.contains("GET"));
                if answered {
                    continue;
                }
                let answer = desk
                    .rest
                    .as_nobody()
                    .call(method.clone(), &path, None)
                    .await;
                let answer = answer.expect("an answer");
                assert_eq!(answer.status, 405, "{method} {path}");
                let allow = answer.header("allow").expect("it names them");
                let allow: BTreeSet<_> = allow.split(',').map(|it| it.trim().to_owned()).collect();
                assert!(known.is_subset(&allow), "{path}: {known:?} {allow:?}");
                if method != Method::HEAD {
                    assert_eq!(problem(&answer).1, "method_not_allowed");
                }
            }
        }
        desk.is_calm();
    });
}

/// The path of something that is not there.
fn fill(path: &str) -> String {
    let parts = path.split('/').map(|part| {
        let name = part.strip_prefix('{');
        name.map_or_else(|| part.to_owned(), |_| unique().to_string())
    });
    parts.collect::<Vec<_>>().join("/")
}

#[test]
fn where_there_is_no_endpoint_a_problem_says_so() {
    run(async {
        let desk = desk().await;
        for path in [
            "/",
            "/v1",
            "/v1/billing",
            "/v2/billing/usage",
            "/metrics",
            "/ready",
            "/health",
            "/.env",
            "/v1/admin/pricing/a/b",
            "/openapi.yaml",
            "/Xaverine",
        ] {
            for caller in [desk.rest.as_nobody(), desk.rest.as_billing_admin()] {
                let answer = caller.get(path).await.expect("an answer");
                assert_eq!(problem(&answer), (404, "no_such_route", ""), "{path}");
            }
        }
    });
}

#[test]
fn every_answer_carries_the_callers_request_id_or_one_of_ours() {
    run(async {
        let desk = desk().await;
        let own = format!("Order_7-{}", unique().simple());
        let paths = [
            "/openapi.json",
            "/nowhere",
            "/v1/admin/pricing",
            "/v1/billing/usage",
        ];
        for path in paths {
            for caller in [desk.rest.as_nobody(), desk.rest.as_billing_admin()] {
                let named = caller.clone().saying("x-request-id", &own);
                let answer = named.get(path).await.expect("an answer");
                assert_eq!(answer.header("x-request-id"), Some(own.as_str()), "{path}");
                let mut seen = BTreeSet::new();
                for odd in ["", "a b", "Xaverine\"", "../..", &"x".repeat(65)] {
                    let odd = caller.clone().saying("x-request-id", odd);
                    let answer = odd.get(path).await.expect("an answer");
                    let id = answer.header("x-request-id").expect("an id").to_owned();
                    assert!(Uuid::parse_str(&id).is_ok(), "{path}: {id}");
                    assert!(seen.insert(id), "each request has its own");
                }
            }
        }
        let log = desk.billing.log();
        assert!(!log.contains(&own), "and the log does not tell it");
        desk.is_calm();
    });
}

#[test]
fn who_calls_too_often_waits_and_others_do_not() {
    run(async {
        let desk = desk().await;
        let (node, rest) = desk.node(&[("HTTP_RATE", "1"), ("HTTP_BURST", "5")]).await;
        let (hasty, calm_one) = (desk.customer().await, desk.customer().await);
        let path = format!("/v1/billing/usage?{DAYS}");
        let as_subject = |subject: &str, of: super::fixture::Customer| {
            rest.named(subject, "account.viewer", of.tenant, Some(of.account))
        };
        let caller = as_subject("hasty", hasty);
        let mut refused = None;
        for _ in 0..30 {
            let answer = caller.get(&path).await.expect("an answer");
            if answer.status != 200 {
                refused = Some(answer);
                break;
            }
        }
        let refused = refused.expect("30 calls at once are too many");
        assert_eq!(problem(&refused), (429, "too_many_requests", ""));
        let after = refused.header("retry-after").expect("when to come again");
        assert!(after.parse::<u64>().is_ok_and(|it| it >= 1), "{after}");
        // It is the caller who is limited, not their account or their address.
        let other = as_subject("calm", calm_one).get(&path).await;
        assert_eq!(other.expect("an answer").status, 200);
        // Who waits is served again.
        eventually("the hasty caller is served again", async || {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            (caller.get(&path).await.expect("an answer").status == 200).then_some(())
        })
        .await;
        // Who guesses at tokens is slowed down by address.
        let mut guesses = Vec::new();
        for guess in 0..30 {
            let guess = rest.with_token(&format!("guess.{guess}.x"));
            guesses.push(guess.get(&path).await.expect("an answer").status);
        }
        assert!(
            guesses.contains(&401) && guesses.contains(&429),
            "{guesses:?}"
        );
        calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}
