//! Processes are killed while people propose and decide: whatever was answered stands, and everything
//! that is asked again until it is answered happens once.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures::future::join_all;
use hyper::Method;
use serde_json::Value;
use tests::world::{Rest, Service, World, WorldOptions, rest::RestClient};
use tokio::time::sleep;

use super::fixture::{ADJUSTMENTS, approver, credit, id, proposer};
use crate::{
    charges::fixture::{Customer, Market},
    fixture::{eventually, place, run, unique},
};

/// People, each with so many adjustments one after the other.
const PEOPLE: usize = 4;
const EACH: usize = 12;
const KILLS: usize = 5;

/// What `call` is answered with at last, by whatever process lives.
async fn insist(world: &World, nodes: &tokio::sync::Mutex<Vec<Service>>, call: Call<'_>) -> Value {
    eventually("it is done", async || {
        let rest = {
            let nodes = nodes.lock().await;
            let one = unique().as_bytes()[0];
            world
                .rest(&nodes[usize::from(one) % nodes.len()])
                .await
                .ok()?
        };
        let caller = (call.caller)(&rest);
        let answer = caller
            .call(Method::POST, &call.path, call.body)
            .await
            .ok()?;
        match answer.status {
            200 | 201 => Some(answer.body),
            status if status >= 500 => None,
            _ => panic!("{answer:?}"),
        }
    })
    .await
}

/// A call that may be made again.
struct Call<'a> {
    caller: &'a dyn Fn(&Rest) -> RestClient,
    path: String,
    body: Option<&'a Value>,
}

/// One person proposes, another approves.
async fn adjusts(world: &World, nodes: &tokio::sync::Mutex<Vec<Service>>, customer: Customer) {
    for _ in 0..EACH {
        let (key, body) = (unique().to_string(), credit(customer.account));
        let anna = |rest: &Rest| proposer(rest, "anna").saying("idempotency-key", &key);
        let call = Call {
            caller: &anna,
            path: ADJUSTMENTS.to_owned(),
            body: Some(&body),
        };
        let id = id(&insist(world, nodes, call).await);
        let call = Call {
            caller: &|rest| approver(rest, "bert"),
            path: format!("{ADJUSTMENTS}/{id}/approve"),
            body: None,
        };
        assert_eq!(insist(world, nodes, call).await["status"], "APPROVED");
    }
}

#[test]
fn every_adjustment_is_made_once_whoever_is_killed() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let mut market = Market::of(place.world).await;
        market.node(&[]).await;
        let customer = Customer::new();
        market.register(customer, &customer.registration()).await;
        let (world, over) = (&market.world, AtomicBool::new(false));
        let nodes = tokio::sync::Mutex::new(vec![
            world.billing(&[]).await.expect("a service"),
            world.billing(&[]).await.expect("a service"),
        ]);
        let adjusting = async {
            join_all((0..PEOPLE).map(|_| adjusts(world, &nodes, customer))).await;
            over.store(true, Ordering::Relaxed);
        };
        let killing = async {
            for kill in 0.. {
                if kill >= KILLS && over.load(Ordering::Relaxed) {
                    break;
                }
                sleep(Duration::from_millis(300)).await;
                let victim = nodes.lock().await.remove(0);
                victim.kill().await.expect("killed");
                let another = world.billing(&[]).await.expect("a service");
                nodes.lock().await.push(another);
            }
        };
        tokio::join!(adjusting, killing);
        let sql = "select type, count(*) from eventlog.event where category = 'adjustment'
            group by type order by type";
        let rows = market.database.query(sql, &[]).await.expect("reads");
        let all = i64::try_from(PEOPLE * EACH).expect("few");
        let counts: Vec<(String, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let due = ["AdjustmentApproved", "AdjustmentProposed"].map(|name| (name.to_owned(), all));
        assert_eq!(counts, due);
        // The auditor recomputes each row and holds every pair of people to be two.
        market.balances().await;
    });
}
