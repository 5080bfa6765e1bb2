//! A service that is asked to stop under load.

use tests::{
    traffic::{Mix, Shape},
    world::{Service, WorldOptions},
};

use super::fixture::{Load, balances, hand_out_again_soon};
use crate::fixture::{eventually, place, run};

/// A counter over all its labels.
async fn total(service: &Service, metric: &str) -> u64 {
    let answer = service.get("/metrics").await.expect("metrics");
    let name = format!("{metric}{{");
    let lines = answer.lines().filter(|line| line.starts_with(&name));
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum()
}

#[test]
fn a_service_asked_to_stop_under_load_ends_well_and_acknowledged_all_it_recorded() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let world = &place.world;
        hand_out_again_soon(world, "SMS_DLR", "dlr-processor").await;
        let shape = Shape::new(7, 30_000, eventstore::clock::now()).with_mix(Mix::PLAIN);
        let load = Load::prepare(world, &shape).await;
        load.publish(world, 1_000_000).await;
        let database = world.admin().await.expect("postgres");
        let head = async || {
            let sql = "select position from eventlog.head";
            let row = database.query_one(sql, &[]).await.expect("reads");
            row.get::<_, i64>(0)
        };
        let first = world.service(&[]).await.expect("a service");
        eventually("it is in the middle of it", async || {
            (head().await > 500).then_some(())
        })
        .await;
        // The process gives itself ten seconds; what takes longer is not a success.
        assert!(first.terminate().await.expect("it stops"), "exit code 0");
        let recorded = head().await;
        assert!(recorded < 30_000, "it was not stopped in the middle");

        let second = world.service(&[]).await.expect("a service");
        let expected = load.finish(world).await;
        balances(world, &expected).await;
        // No receipt was sent twice, so a duplicate would be one recorded but not acknowledged.
        assert_eq!(total(&second, "dlr_duplicates_total").await, 0);
        let processed = total(&second, "dlr_messages_processed_total").await;
        assert_eq!(i64::try_from(processed), Ok(30_000 - recorded));
    });
}
