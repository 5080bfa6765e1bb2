//! Whoever wants to approve what they proposed, or wants it twice; and bodies that nobody should send.

use futures::future::join_all;
use hyper::Method;
use serde_json::{Value, json};
use tests::world::rest::{Answer, PLATFORM};
use uuid::Uuid;

use super::fixture::{
    ADJUSTMENTS, approve, approver, credit, id, propose, proposed, proposer, reject, shown,
};
use crate::{
    fixture::{run, unique},
    rest::{
        fixture::{MARK, calm, desk, problem},
        tokens::claims,
    },
};

/// How often it is tried that two decide at once.
const ROUNDS: usize = 15;

#[test]
fn nobody_approves_what_they_proposed_whatever_token_they_come_with() {
    run(async {
        let desk = desk().await;
        let customer = desk.customer().await;
        let both = ["platform.billing_admin", "platform.finance"];
        let token = |roles: &[&str], more: &[(&str, Value)]| {
            let mut claims = claims("anna", roles[0], PLATFORM.0);
            claims["roles"] = json!(roles);
            for (claim, value) in more {
                claims[*claim] = value.clone();
            }
            desk.rest.with_token(&desk.issuer.token(&claims))
        };
        let row = propose(&token(&both, &[]), &credit(customer.account)).await;
        let id = id(&row.made().expect("proposed"));
        for anna in [
            token(&both, &[]),
            token(&both[1..], &[]),
            token(&both[1..], &[("account_id", json!(unique()))]),
            token(&both[1..], &[("scope", json!("billing:finance"))]),
            approver(&desk.rest, "anna"),
        ] {
            let refused = approve(&anna, id).await;
            assert_eq!(problem(&refused), (403, "own_proposal", ""));
        }
        assert_eq!(shown(&desk.rest, id).await["status"], "PROPOSED");
        // She may take it back, if she may reject at all.
        let refused = reject(&proposer(&desk.rest, "anna"), id).await;
        assert_eq!(problem(&refused), (403, "right_missing", ""));
        let row = reject(&token(&both, &[]), id).await;
        assert_eq!(row.made().expect("rejected")["status"], "REJECTED");
        desk.is_calm();
    });
}

/// How often each type of event stands in the stream of an adjustment.
async fn decisions(id: Uuid) -> i64 {
    let sql = "select count(*) from eventlog.event where stream_id = $1 and version > 1";
    let row = desk().await.database.query_one(sql, &[&id]).await;
    row.expect("reads").get(0)
}

#[test]
fn of_several_who_decide_at_once_on_two_processes_one_does() {
    run(async {
        let desk = desk().await;
        let (node, other) = desk.node(&[]).await;
        for round in 0..ROUNDS {
            let customer = desk.customer().await;
            let id = proposed(&desk.rest, &credit(customer.account)).await;
            let people = ["bert", "cora", "dora", "emil"];
            let nodes = [&desk.rest, &other].into_iter().cycle().skip(round);
            let decisions_of = people
                .into_iter()
                .zip(nodes)
                .map(|(name, rest)| async move {
                    let caller = approver(rest, name);
                    if name == "emil" {
                        reject(&caller, id).await
                    } else {
                        approve(&caller, id).await
                    }
                });
            let answers: Vec<Answer> = join_all(decisions_of).await;
            let won = answers.iter().filter(|answer| answer.status == 200);
            assert_eq!(won.count(), 1, "{answers:?}");
            for lost in answers.iter().filter(|answer| answer.status != 200) {
                assert_eq!(problem(lost), (409, "already_decided", ""));
            }
            assert_eq!(decisions(id).await, 1);
        }
        desk.is_calm();
        calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}

#[test]
fn of_the_same_proposal_at_once_on_two_processes_one_is_made() {
    run(async {
        let desk = desk().await;
        let (node, other) = desk.node(&[]).await;
        for _ in 0..ROUNDS {
            let body = credit(desk.customer().await.account);
            let key = unique().to_string();
            let asked = [&desk.rest, &other, &desk.rest, &other].map(|rest| {
                let anna = proposer(rest, "anna").saying("idempotency-key", &key);
                let body = body.clone();
                async move { propose(&anna, &body).await }
            });
            let answers: Vec<Answer> = join_all(asked).await;
            let ids: Vec<Uuid> = answers
                .into_iter()
                .map(|answer| id(&answer.made().expect("proposed")))
                .collect();
            assert!(ids.iter().all(|one| *one == ids[0]), "{ids:?}");
            let sql = "select count(*) from billing.adjustments where adjustment_id = $1";
            let row = desk.database.query_one(sql, &[&ids[0]]).await;
            assert_eq!(row.expect("reads").get::<_, i64>(0), 1);
        }
        desk.is_calm();
        calm(&node);
        assert!(node.terminate().await.expect("it stops"));
    });
}

#[test]
fn a_hostile_body_is_refused_by_its_field_and_not_repeated() {
    run(async {
        let desk = desk().await;
        let customer = desk.customer().await;
        let admin = desk.rest.as_billing_admin();
        let wrong = [
            ("amount", json!(0)),
            ("amount", json!("0")),
            ("amount", json!("-0.000000")),
            ("amount", json!(-12.5)),
            ("amount", json!("1e9")),
            ("amount", json!("1000000000")),
            ("amount", json!("0.0000001")),
            ("amount", json!("NaN")),
            ("amount", json!(format!("{MARK}"))),
            ("currency", json!("XXX1")),
            ("accountId", json!("' or 1=1 --")),
            ("accountId", json!(Uuid::nil())),
            ("messageId", json!(["x"])),
            ("reason", json!("ab")),
            ("reason", json!(" \n ")),
            ("reason", json!(format!("{MARK}\u{0}"))),
            ("reason", json!(format!("{MARK}\u{1b}[2J"))),
            ("reason", json!(MARK.repeat(100))),
            ("reason", Value::Null),
        ];
        for (field, value) in wrong {
            let mut body = credit(customer.account);
            body[field] = value.clone();
            let refused = propose(&admin, &body).await;
            let pointer = format!("/{field}");
            let due = (400, "invalid_field", pointer.as_str());
            assert_eq!(problem(&refused), due, "{value}");
        }
        for (change, due) in [
            (json!({ "status": "APPROVED" }), (400, "unknown_field", "")),
            (json!({ "proposedBy": "bert" }), (400, "unknown_field", "")),
        ] {
            let mut body = credit(customer.account);
            let fields = body.as_object_mut().expect("an object");
            fields.extend(change.as_object().expect("fields").clone());
            assert_eq!(problem(&propose(&admin, &body).await), due);
        }
        let id = proposed(&desk.rest, &credit(customer.account)).await;
        let bert = approver(&desk.rest, "bert");
        for body in [
            json!({}),
            json!({ "reason": "x" }),
            json!({ "reason": 777 }),
        ] {
            let path = format!("{ADJUSTMENTS}/{id}/reject");
            let refused = bert.call(Method::POST, &path, Some(&body)).await;
            assert_eq!(problem(&refused.expect("an answer")).0, 400);
        }
        assert_eq!(shown(&desk.rest, id).await["status"], "PROPOSED");
        desk.is_calm();
    });
}
