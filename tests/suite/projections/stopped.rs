//! A fact that cannot be applied stops its projection, with an alert; nothing is skipped.

use eventstore::contract::samples;
use projections::{
    Table as _,
    receipts::{
        delivery_receipts::DeliveryReceipts,
        publishers::{billing_events::BillingEvents, webhook_dispatch::WebhookDispatches},
        sms_messages::SmsMessages,
    },
};
use tests::world::{PROJECTIONS, WorldOptions};

use crate::{
    fixture::{eventually, place, run},
    log::unreadable::plant,
    receipts::fixture::{Desk, receipt, settled_as},
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

/// Plants an event nobody can read between two receipts; says which projections stop before it.
/// All others show what comes after it.
async fn stopped_by(name: &str, version: i16) -> Vec<&'static str> {
    let place = place(WorldOptions::default()).await;
    let desk = Desk::in_world(place.world).await;
    let before = desk.message().await;
    desk.receives(&receipt(&before)).await;
    let settled = settled_as("DELIVRD", "DELIVERED");
    assert_eq!(desk.effects(&before).await, settled);
    assert_eq!(plant(&desk.database, name, version, "{}").await, 2);
    // The log goes on; what some of it shows waits for a person.
    let after = desk.message().await;
    let sent = desk.send(&receipt(&after)).await;
    desk.answered(sent).await;
    assert_eq!(desk.head().await, 3);
    let mut stopped = Vec::new();
    for projection in PROJECTIONS {
        let is_stopped = eventually("it stops or goes on", async || {
            match standing(&desk, projection).await {
                (1, 1) => Some(true),
                (0, 3) => Some(false),
                _ => None,
            }
        });
        if is_stopped.await {
            stopped.push(projection);
        }
    }
    let effects = desk.effects(&after).await;
    assert_eq!(effects.events, ["MessageSettled"]);
    for (projection, has_none) in [
        (DeliveryReceipts::NAME, effects.rows.is_empty()),
        (BillingEvents::NAME, effects.billed.is_empty()),
        (WebhookDispatches::NAME, effects.told.is_empty()),
    ] {
        assert_eq!(has_none, stopped.contains(&projection), "{projection}");
    }
    let log = desk.service.log();
    let alerts: Vec<_> = log
        .lines()
        .filter(|line| line.contains("projection.stopped"))
        .collect();
    assert_eq!(alerts.len(), stopped.len(), "{alerts:?}");
    for part in [name, "position 2", "eventlog.event", "payload"] {
        let told = alerts.iter().all(|line| line.contains(part));
        assert!(told, "{part}: {alerts:?}");
    }
    stopped
}

#[test]
fn l7_an_event_that_cannot_be_read_stops_the_projections_that_need_its_type() {
    run(async {
        assert_eq!(
            stopped_by("MessageSettled", 99).await,
            [
                DeliveryReceipts::NAME,
                SmsMessages::NAME,
                BillingEvents::NAME,
                WebhookDispatches::NAME
            ]
        );
        let late = stopped_by("LateReceiptRecorded", 1).await;
        assert_eq!(late, [DeliveryReceipts::NAME]);
    });
}

/// Nobody can tell who needs it; those who read nothing of its kind of streams do not.
#[test]
fn l7_an_event_of_an_unknown_type_stops_every_projection_of_its_kind_of_streams() {
    run(async {
        assert_eq!(
            stopped_by("FromTheFuture", 1).await,
            [
                DeliveryReceipts::NAME,
                SmsMessages::NAME,
                BillingEvents::NAME,
                WebhookDispatches::NAME
            ]
        );
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
        let needs_tenant = [
            DeliveryReceipts::NAME,
            BillingEvents::NAME,
            WebhookDispatches::NAME,
        ];
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
