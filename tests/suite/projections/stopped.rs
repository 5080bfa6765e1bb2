//! A fact that cannot be applied stops its projection, with an alert; nothing is skipped.

use eventstore::contract::samples;
use tests::world::{PROJECTIONS, WorldOptions};

use crate::{
    log::unreadable::plant,
    receipts::desk::{Desk, receipt, settled_as},
    support::{eventually, place, run},
};

/// Whether a projection says that it has stopped, and where it stands.
async fn standing(desk: &Desk, projection: &str) -> (i64, i64) {
    let metric = async |name: &str| {
        let name = format!("{name}{{projection=\"{projection}\"}}");
        desk.service.metric(&name).await.unwrap_or(-1)
    };
    (
        metric("projection_stopped").await,
        metric("projection_position").await,
    )
}

#[test]
fn l7_an_unreadable_event_stops_every_projection_before_it_and_receipts_go_on() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let desk = Desk::in_world(place.world).await;
        let before = desk.message().await;
        desk.receives(&receipt(&before)).await;
        assert_eq!(
            desk.effects(&before).await,
            settled_as("DELIVRD", "DELIVERED")
        );
        let position = plant(&desk.database, "FromTheFuture", 1, "{}").await;
        assert_eq!(position, 2);
        for projection in PROJECTIONS {
            eventually("it stops", async || {
                (standing(&desk, projection).await == (1, 1)).then_some(())
            })
            .await;
        }
        // The log goes on; what it shows waits for a person.
        let after = desk.message().await;
        let sent = desk.send(&receipt(&after)).await;
        desk.answered(sent).await;
        assert_eq!(desk.head().await, 3);
        let effects = desk.effects(&after).await;
        assert_eq!(effects.events, ["MessageSettled"]);
        assert!(effects.rows.is_empty() && effects.billed.is_empty() && effects.told.is_empty());
        for projection in PROJECTIONS {
            assert_eq!(standing(&desk, projection).await, (1, 1), "{projection}");
        }
        let log = desk.service.log();
        let alerts: Vec<_> = log
            .lines()
            .filter(|line| line.contains("projection.stopped"))
            .collect();
        assert_eq!(alerts.len(), PROJECTIONS.len(), "{alerts:?}");
        for part in ["FromTheFuture", "position 2", "eventlog.event", "payload"] {
            assert!(
                alerts.iter().all(|line| line.contains(part)),
                "{part}: {alerts:?}"
            );
        }
    });
}

#[test]
fn a_fact_that_one_projection_cannot_apply_stops_that_one_and_the_rest_go_on() {
    run(async {
        let place = place(WorldOptions::default()).await;
        let desk = Desk::in_world(place.world).await;
        let before = desk.message().await;
        desk.receives(&receipt(&before)).await;
        // A settlement that names no tenant: readable, and of no use to whoever needs one.
        let payload = samples::new_event(1, 1).event.payload();
        let position = plant(&desk.database, "MessageSettled", 1, &payload).await;
        assert_eq!(position, 2);
        let after = desk.message().await;
        let sent = desk.send(&receipt(&after)).await;
        desk.answered(sent).await;
        assert_eq!(desk.head().await, 3);
        let needs_tenant = ["delivery_receipts", "billing.events", "webhook.dispatch"];
        for projection in PROJECTIONS {
            let expected = if needs_tenant.contains(&projection) {
                (1, 1)
            } else {
                (0, 3)
            };
            eventually(projection, async || {
                (standing(&desk, projection).await == expected).then_some(())
            })
            .await;
        }
        assert!(needs_tenant.iter().all(|name| PROJECTIONS.contains(name)));
        let effects = desk.effects(&after).await;
        assert_eq!(
            effects.shown,
            settled_as("", "DELIVERED").shown,
            "the rest goes on"
        );
        assert!(effects.rows.is_empty() && effects.billed.is_empty() && effects.told.is_empty());
    });
}
