//! People who propose and decide, and the words for it.

use hyper::Method;
use schema::AccountId;
use serde_json::{Value, json};
use tests::world::{
    Rest,
    rest::{Answer, PLATFORM, RestClient},
};
use uuid::Uuid;

use crate::rest::fixture::MARK;

/// Where adjustments are.
pub(crate) const ADJUSTMENTS: &str = "/v1/admin/adjustments";

/// Less by 12.50, and why; the words are personal.
pub(crate) fn credit(account: AccountId) -> Value {
    json!({
        "accountId": account, "amount": "-12.50", "currency": "EUR",
        "reason": format!("{MARK} was charged twice\nin March"),
    })
}

/// Somebody of this name who may propose.
pub(crate) fn proposer(rest: &Rest, name: &str) -> RestClient {
    rest.named(name, "platform.billing_admin", PLATFORM, None)
}

/// Somebody of this name who may decide.
pub(crate) fn approver(rest: &Rest, name: &str) -> RestClient {
    rest.named(name, "platform.finance", PLATFORM, None)
}

/// What is answered to a proposal.
pub(crate) async fn propose(caller: &RestClient, body: &Value) -> Answer {
    let answer = caller.call(Method::POST, ADJUSTMENTS, Some(body)).await;
    answer.expect("an answer")
}

/// The adjustment that was just proposed by somebody.
pub(crate) async fn proposed(rest: &Rest, body: &Value) -> Uuid {
    let answer = propose(&rest.as_billing_admin(), body).await;
    id(&answer.made().expect("proposed"))
}

/// The id of a row.
pub(crate) fn id(row: &Value) -> Uuid {
    serde_json::from_value(row["adjustmentId"].clone()).expect("an id")
}

/// What is answered to an approval.
pub(crate) async fn approve(caller: &RestClient, id: Uuid) -> Answer {
    let path = format!("{ADJUSTMENTS}/{id}/approve");
    let answer = caller.call(Method::POST, &path, None).await;
    answer.expect("an answer")
}

/// What is answered to a rejection.
pub(crate) async fn reject(caller: &RestClient, id: Uuid) -> Answer {
    let path = format!("{ADJUSTMENTS}/{id}/reject");
    let body = json!({ "reason": format!("{MARK} says no") });
    let answer = caller.call(Method::POST, &path, Some(&body)).await;
    answer.expect("an answer")
}

/// The adjustment as it is shown.
pub(crate) async fn shown(rest: &Rest, id: Uuid) -> Value {
    let path = format!("{ADJUSTMENTS}/{id}");
    let answer = rest.as_billing_admin().get(&path).await;
    answer.expect("an answer").made().expect("it is there")
}
