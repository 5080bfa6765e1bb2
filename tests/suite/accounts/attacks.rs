//! Whose an account is. The attacker has the right to register accounts, and two processes to ask
//! at the same instant.

use std::collections::BTreeSet;

use futures::future::join_all;
use hyper::Method;
use schema::AccountId;
use serde_json::Value;
use tests::world::{Rest, rest::Answer};

use crate::{
    fixture::run,
    rest::fixture::{Customer, account_body, calm, desk, problem},
};

/// How often it is tried; one try in two used to succeed.
const ROUNDS: usize = 25;
/// How many tenants want the same account.
const TENANTS: usize = 4;

async fn put(rest: &Rest, account: AccountId, body: &Value) -> Answer {
    let path = format!("/v1/admin/accounts/{account}");
    let admin = rest.as_billing_admin();
    let answer = admin.call(Method::PUT, &path, Some(body)).await;
    answer.expect("an answer")
}

/// Every one of these at once, on one process and the other by turns.
async fn register(nodes: [&Rest; 2], account: AccountId, bodies: &[Value]) -> Vec<Answer> {
    let wishes = bodies.iter().zip(nodes.into_iter().cycle());
    join_all(wishes.map(|(body, rest)| put(rest, account, body))).await
}

/// What came of registering one account for several tenants: the index of the one that has it.
fn winner(answers: &[Answer], registered: u16) -> usize {
    let won: Vec<usize> = (0..answers.len())
        .filter(|index| answers[*index].status < 300)
        .collect();
    for answer in answers {
        if answer.status < 300 {
            assert_eq!(answer.status, registered, "{answer:?}");
        } else {
            let refused = (409, "account_of_another_tenant", "/tenantId");
            assert_eq!(problem(answer), refused);
        }
    }
    assert_eq!(won.len(), 1, "{answers:?}");
    won[0]
}

#[test]
fn of_tenants_that_register_an_account_at_once_one_has_it_on_every_process() {
    run(async {
        let desk = desk().await;
        let (node, other) = desk.node(&[]).await;
        for _ in 0..ROUNDS {
            let account = Customer::nobody().account;
            let bodies: Vec<Value> = (0..TENANTS)
                .map(|_| account_body(Customer::nobody().tenant))
                .collect();
            let first = winner(&register([&desk.rest, &other], account, &bodies).await, 201);
            // Asked again, on the same process and on the other one, nothing is different.
            for nodes in [[&desk.rest, &other], [&other, &desk.rest]] {
                let again = register(nodes, account, &bodies).await;
                assert_eq!(winner(&again, 200), first);
            }
            let path = format!("/v1/admin/accounts/{account}");
            let mut shown = BTreeSet::new();
            for rest in [&desk.rest, &other] {
                let answer = rest.as_billing_admin().get(&path).await;
                let row = answer.expect("an answer").made().expect("it is registered");
                shown.insert(row["tenantId"].to_string());
            }
            let expected = BTreeSet::from([bodies[first]["tenantId"].to_string()]);
            assert_eq!(shown, expected);
            let sql = include_str!("attacks/registrations.sql");
            let row = desk.database.query_one(sql, &[&account.0]).await;
            let facts: i64 = row.expect("reads").get(0);
            assert_eq!(facts, 1, "the log says once whose it is");
        }
        desk.is_calm();
        calm(&node);
    });
}
