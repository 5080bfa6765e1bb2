//! What is called over REST: good calls with names and addresses, and calls that an attacker or a
//! broken client would make, with a mark in every place of a request.

mod refused;
mod strangers;

use hyper::Method;
use serde_json::{Value, json};
use tests::world::{PLATFORM, Service, rest::Answer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use uuid::Uuid;

pub(crate) use self::{refused::be_refused, strangers::be_strangers};
use super::{arrivals::Whose, marks::Mark, sinks::Sink, stage::Stage};
use crate::{
    adjustments::fixture::ADJUSTMENTS,
    fixture::PATIENCE,
    rest::{fixture::DAYS, tokens::claims},
};

const USAGE: &str = "/v1/billing/usage";
const PRICES: &str = "/v1/admin/pricing";
const COSTS: &str = "/v1/admin/operator-costs";
/// What the answers are called that may hold a name and an address.
pub(crate) const OF_ACCOUNTS: &str = "the answer to a good call about an account";

/// The numbers and words that come over REST.
pub(crate) struct Private {
    name: Mark,
    address: Mark,
    reason: Mark,
    subject: Mark,
    number: Mark,
    word: Mark,
    claim: Mark,
}

impl Private {
    pub(crate) fn new() -> Self {
        Self {
            name: Mark::word("a billing name"),
            address: Mark::word("a billing address"),
            reason: Mark::word("a reason"),
            subject: Mark::number("a token's subject"),
            number: Mark::number("a number in a call"),
            word: Mark::word("a word in a call"),
            claim: Mark::word("a claim"),
        }
    }

    pub(crate) fn all(&self) -> [&Mark; 7] {
        let Self {
            name,
            address,
            reason,
            subject,
            number,
            word,
            claim,
        } = self;
        [name, address, reason, subject, number, word, claim]
    }

    /// What answers about accounts hold.
    pub(crate) fn of_accounts(&self) -> [&Mark; 3] {
        [&self.name, &self.address, &self.reason]
    }

    fn account(&self, tenant: Uuid) -> Value {
        json!({
            "tenantId": tenant, "accountTier": "GROWTH", "currency": "EUR",
            "legalName": format!("{} & Daughters", self.name.text()),
            "contactName": self.name.text(), "purchaseOrder": self.name.text(),
            "address": {
                "lines": [format!("{} Street 1", self.address.text()), "Upstairs"],
                "city": self.address.text(), "country": "DE",
            },
            "tax": { "category": "AE", "country": "DE" },
        })
    }
}

fn good(answer: &Answer) {
    assert!((200..300).contains(&answer.status), "{answer:?}");
}

fn refused(answer: &Answer) {
    assert!((400..500).contains(&answer.status), "{answer:?}");
}

/// Registers the account, gives its carrier a price and a cost, and reads it all again.
pub(crate) async fn set_up(stage: &Stage, private: &Private, of: Whose) {
    let admin = stage.rest.as_billing_admin();
    let admin = admin.saying("x-request-id", &private.number.bare());
    let path = format!("/v1/admin/accounts/{}", of.account);
    let calls = [
        (Method::PUT, Some(private.account(of.tenant))),
        (Method::PUT, Some(private.account(of.tenant))),
        (Method::GET, None),
    ];
    for (method, body) in calls {
        let name = OF_ACCOUNTS.trim_start_matches("the answer to ");
        let answer = match body {
            Some(body) => stage.put_json(name, &admin, (method, &path), &body).await,
            None => stage.call(name, &admin, (method, &path), None).await,
        };
        good(&answer);
    }
    adjust(stage, private, of).await;
    price(stage, private, of).await;
    let cost = json!({
        "operatorId": of.operator, "costPerSegment": "0.02", "currency": "EUR",
        "effectiveFrom": "2026-01-01T00:00:00Z",
    });
    let to = (Method::POST, COSTS);
    good(&stage.put_json("a cost", &admin, to, &cost).await);
}

/// An adjustment of the account is proposed and rejected, each for a reason that names somebody.
async fn adjust(stage: &Stage, private: &Private, of: Whose) {
    let name = OF_ACCOUNTS.trim_start_matches("the answer to ");
    let reason = format!("{} asked for it", private.reason.text());
    let body = json!({
        "accountId": of.account, "amount": "-1.5", "currency": "EUR", "reason": reason,
    });
    let admin = stage.rest.as_billing_admin();
    let to = (Method::POST, ADJUSTMENTS);
    let proposed = stage.put_json(name, &admin, to, &body).await;
    good(&proposed);
    let id = proposed.body["adjustmentId"].as_str().expect("an id");
    let path = format!("{ADJUSTMENTS}/{id}/reject");
    let finance = stage.rest.as_role("platform.finance", PLATFORM, None);
    let to = (Method::POST, path.as_str());
    let body = json!({ "reason": reason });
    good(&stage.put_json(name, &finance, to, &body).await);
    let list = (Method::GET, ADJUSTMENTS);
    good(&stage.call(name, &finance, list, None).await);
}

/// A price of the platform's list, under a key of the caller's that is a number.
pub(crate) async fn price(stage: &Stage, private: &Private, of: Whose) {
    let body = json!({
        "accountTier": "GROWTH", "operatorId": of.operator, "pricingModel": "PER_SEGMENT",
        "unitPrice": "0.045", "currency": "EUR", "effectiveFrom": "2026-01-01T00:00:00Z",
    });
    let admin = stage.rest.as_billing_admin();
    let admin = admin.saying("idempotency-key", &private.number.bare());
    let to = (Method::POST, PRICES);
    good(&stage.put_json("a price", &admin, to, &body).await);
}

/// Questions that are answered: by the account itself under a name that is a number, and by others.
pub(crate) async fn ask(stage: &Stage, private: &Private, of: Whose) {
    let mut own = claims(&private.subject.text(), "account.viewer", of.tenant);
    own["account_id"] = json!(of.account);
    own["phone_number"] = json!(private.claim.text());
    own["roles"] = json!(["account.viewer", private.claim.text()]);
    own["scope"] = json!(format!("billing:read {}", private.claim.text()));
    let own = stage.rest.with_token(&stage.issuer.token(&own));
    let admin = claims(&private.subject.text(), "platform.admin", PLATFORM.0);
    let admin = stage.rest.with_token(&stage.issuer.token(&admin));
    let path = format!("{USAGE}?{DAYS}");
    good(&stage.call("usage", &own, (Method::GET, &path), None).await);
    let path = format!("{path}&accountId={}", of.account);
    good(
        &stage
            .call("another's usage", &admin, (Method::GET, &path), None)
            .await,
    );
    let held = "/v1/admin/held-charges?limit=50";
    let admin = stage.rest.as_billing_admin();
    good(
        &stage
            .call("held charges", &admin, (Method::GET, held), None)
            .await,
    );
}

/// Bytes that no client library would send, to both ports of `service`.
pub(crate) async fn knock(stage: &Stage, private: &Private, service: &Service) {
    let (number, word) = (private.number.text(), private.word.text());
    let close = "Host: x\r\nConnection: close\r\n\r\n";
    for address in [service.rest_address(), service.probe_address()] {
        for text in [
            format!("GET /metrics?{word}={number} HTTP/1.1\r\nX-{word}: {number}\r\n{close}"),
            format!("GET /{word} HTTP/1.1\r\n{close}"),
            format!("{word} /{number} HTTP/1.1\r\n{close}"),
            format!("GET /{word} HTTP/9.9\r\n{close}"),
            format!("GET /{word}\0{number} HTTP/1.1\r\n{close}"),
            format!("POST /{word} HTTP/1.1\r\nContent-Length: {word}\r\n{close}"),
            format!("{number} {word}\r\n\r\n"),
        ] {
            let mut stream = TcpStream::connect(&address).await.expect("connects");
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.shutdown().await;
            let mut said = Vec::new();
            let read = timeout(PATIENCE, stream.read_to_end(&mut said)).await;
            let _ = read.expect("it is not kept open for ever");
            stage.keep(Sink::new("the answer to a knock", said));
        }
    }
}
