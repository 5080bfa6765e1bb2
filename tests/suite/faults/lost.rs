//! A message that NATS acknowledged and lost.

use tests::world::{World, WorldOptions};
use uuid::Uuid;

use crate::{
    fixture::{eventually, place, run},
    receipts::fixture::{Desk, receipt},
};

const AGAIN: &str = "billing_announced_again_total";

/// Runs `tollbook republish` with the rights it has in production.
async fn republish(world: &World) -> String {
    let mut variables = world.variables("dlr-processor", "auditor");
    variables.insert("REPUBLISH_MARGIN", "1ms".to_owned());
    let said = world.role("republish", &variables).await;
    said.expect("republishes")
}

/// The stream goes, with all that it holds and knows; an empty one takes its place.
async fn lose_everything(world: &World) {
    let observer = world.jetstream("observer").await.expect("nats");
    let deleted = observer.delete_stream("BILLING_EVENTS").await;
    deleted.expect("deleted");
    let variables = world.variables("tollbook-admin", "postgres");
    let said = world.role("provision", &variables).await;
    assert!(said.expect("provisions").contains("created"));
}

async fn charge_of(desk: &Desk, message: Uuid) -> Vec<String> {
    let sql = include_str!("../charges/fixture/history.sql");
    let rows = desk.database.query(sql, &[&message]).await.expect("reads");
    rows.iter().map(|row| row.get(0)).collect()
}

async fn is_held(desk: &Desk, message: Uuid) {
    eventually("it is held", async || {
        (charge_of(desk, message).await == ["ChargeHeld"]).then_some(())
    })
    .await;
}

#[test]
fn a_settlement_that_nats_acknowledged_and_lost_is_announced_again_and_charged_once() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let desk = Desk::in_world(place.world).await;
        let lost = desk.message().await;
        desk.receives(&receipt(&lost)).await;
        assert_eq!(desk.effects(&lost).await.billed, ["DELIVERED"]);
        lose_everything(&desk.world).await;
        let said = republish(&desk.world).await;
        assert!(said.contains("billing stands still"), "{said}");

        // What comes later is charged, so billing has come past what is missing.
        let billing = desk.world.billing(&[]).await.expect("a service");
        let after = desk.message().await;
        desk.receives(&receipt(&after)).await;
        is_held(&desk, after.id).await;
        assert!(charge_of(&desk, lost.id).await.is_empty(), "it is not lost");

        let said = republish(&desk.world).await;
        assert!(said.starts_with("1 settlements announced again"), "{said}");
        is_held(&desk, lost.id).await;
        assert_eq!(desk.effects(&lost).await.billed, ["DELIVERED"]);
        assert_eq!(billing.metric(AGAIN).await, Some(1), "it is counted");
        let said = republish(&desk.world).await;
        assert!(said.starts_with("0 settlements announced again"), "{said}");
        assert!(billing.terminate().await.expect("stops"));
    });
}
