//! Calls of known callers that are refused, with a mark in fields, bodies and addresses.

use hyper::Method;
use schema::{AccountId, TenantId};
use serde_json::json;

use super::{PRICES, Private, USAGE, refused};
use crate::{
    fixture::unique,
    privacy::{arrivals::Whose, stage::Stage},
};

/// Calls that are refused, by known callers.
pub(crate) async fn be_refused(stage: &Stage, private: &Private, of: Whose) {
    wrong_fields(stage, private, of).await;
    wrong_bodies(stage, private, of).await;
    wrong_addresses(stage, private).await;
}

async fn wrong_fields(stage: &Stage, private: &Private, of: Whose) {
    let viewer = stage.rest.as_role(
        "account.viewer",
        TenantId(of.tenant),
        Some(AccountId(of.account)),
    );
    let (number, word) = (private.number.text(), private.word.text());
    let path = format!("/v1/admin/accounts/{}", of.account);
    let to = || (Method::PUT, path.as_str());
    let body = private.account(of.tenant);
    refused(
        &stage
            .put_json("a viewer's change", &viewer, to(), &body)
            .await,
    );
    let admin = stage.rest.as_billing_admin();
    let theirs = private.account(unique());
    refused(
        &stage
            .put_json("another tenant", &admin, to(), &theirs)
            .await,
    );
    for (field, value) in [
        ("legalName", json!({ "first": private.name.text() })),
        ("legalName", json!(format!("{}\u{7}", private.name.text()))),
        ("address", json!([private.address.text()])),
        (
            "address",
            json!({ "city": private.address.text().repeat(200) }),
        ),
        ("currency", json!(word)),
        ("accountTier", json!(number)),
        ("tenantId", json!(number)),
        (&word, json!(number)),
    ] {
        let mut body = body.clone();
        body[field] = value;
        refused(&stage.put_json("a wrong field", &admin, to(), &body).await);
    }
}

async fn wrong_bodies(stage: &Stage, private: &Private, of: Whose) {
    let admin = stage.rest.as_billing_admin();
    let (number, word) = (private.number.text(), private.word.text());
    let path = format!("/v1/admin/accounts/{}", of.account);
    let sound = private.account(of.tenant).to_string();
    for (kind, text) in [
        ("application/json", sound[..sound.len() - 2].to_owned()),
        (
            "application/json",
            sound.replace("\"currency\"", "\"legalName\""),
        ),
        ("application/json", format!("{sound}{word}")),
        ("text/plain", sound.clone()),
        (&word, sound.clone()),
        ("application/json", format!("\"{number}\"")),
        (
            "application/json",
            format!("{{\"{word}\":\"{}\"}}", number.repeat(9_000)),
        ),
    ] {
        let body = Some((kind, text.into()));
        refused(
            &stage
                .call("a wrong body", &admin, (Method::PUT, &path), body)
                .await,
        );
    }
}

async fn wrong_addresses(stage: &Stage, private: &Private) {
    let admin = stage.rest.as_billing_admin();
    let (number, word) = (private.number.text(), private.word.text());
    for path in [
        format!("/v1/admin/accounts/{}", private.number.bare()),
        format!("{PRICES}/{word}"),
        format!("{PRICES}?tenantId={word}"),
        format!("{PRICES}?{word}=1"),
        format!("{PRICES}?operatorId=%2B{}", private.number.bare()),
        format!("{PRICES}?cursor={word}"),
        format!("{USAGE}?from={word}&to=%2B{}", private.number.bare()),
        format!("/v1/{word}/{}", private.number.bare()),
    ] {
        refused(
            &stage
                .call("a wrong address", &admin, (Method::GET, &path), None)
                .await,
        );
    }
    let body = json!({ "unitPrice": number, "reason": word });
    let path = format!("{PRICES}/{}", unique());
    let careful = admin.clone().saying("if-match", &format!("\"{word}\""));
    refused(
        &stage
            .put_json("a wrong patch", &careful, (Method::PATCH, &path), &body)
            .await,
    );
    let method = Method::from_bytes(word.as_bytes()).expect("a token");
    refused(
        &stage
            .call("a wrong method", &admin, (method, PRICES), None)
            .await,
    );
}
