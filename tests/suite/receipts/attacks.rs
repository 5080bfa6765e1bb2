//! Attacks with the rights of a connector: whoever may publish on `sms.dlr.inbound` can say what
//! they like about any message and any operator.

use async_nats::jetstream::stream::State;
use futures::future::join_all;
use serde_json::json;
use tests::world::{World, WorldOptions};

use crate::{
    fixture::{run, unique},
    receipts::fixture::{Desk, connector_receipt, desk, receipt, settled_as, sms, untouched},
};

async fn desk_with(settings: &[(&'static str, &str)]) -> Desk {
    let world = World::start(WorldOptions::default()).await;
    Desk::with(world.expect("a world"), settings).await
}

#[test]
fn a_connectors_hint_at_another_operators_message_settles_nothing() {
    run(async {
        let desk = desk().await;
        let theirs = desk.message().await;
        let mut ours = theirs.clone();
        ours.operator = unique();
        let attack = connector_receipt(&ours)
            .says("DELIVERED")
            .hinting(theirs.id);
        desk.receives(&attack).await;
        assert_eq!(desk.effects(&theirs).await, untouched());
        assert_eq!(desk.orphans(&ours).await.len(), 1);
        // Nor later, when reconciliation looks at it.
        desk.receives(&receipt(&theirs)).await;
        assert_eq!(
            desk.effects(&theirs).await,
            settled_as("DELIVRD", "DELIVERED")
        );
        assert!(!desk.orphans(&ours).await[0].1, "it stays an orphan");
    });
}

#[test]
fn a_connectors_hint_under_another_id_at_a_message_of_one_segment_settles_nothing() {
    run(async {
        let desk = desk().await;
        let mut theirs = sms();
        theirs.segments = 1;
        desk.enqueue(&theirs).await;
        let guess = connector_receipt(&theirs).of_part("guessed");
        desk.receives(&guess.hinting(theirs.id)).await;
        assert_eq!(desk.effects(&theirs).await, untouched());
    });
}

#[test]
fn a_connectors_receipts_without_end_leave_six_per_segment() {
    run(async {
        const FLOOD: usize = 100;
        let desk = desk().await;
        let theirs = desk.message().await;
        let guess = |number| {
            let part = format!("part-{number}");
            connector_receipt(&theirs).of_part(&part).hinting(theirs.id)
        };
        let intermediate: Vec<_> = (0..FLOOD).map(|it| guess(it).says("ENROUTE")).collect();
        join_all(intermediate.iter().map(|one| desk.send(one))).await;
        // The message still settles, and what comes afterwards fills the last place at most.
        desk.receives(&receipt(&theirs)).await;
        let finals: Vec<_> = (0..FLOOD).map(|it| guess(it).says("EXPIRED")).collect();
        let places = join_all(finals.iter().map(|one| desk.send(one))).await;
        desk.done(places.into_iter().max().expect("many")).await;
        let effects = desk.effects(&theirs).await;
        assert_eq!(effects.events.len(), 12, "two segments, six each");
        assert_eq!(effects.billed, ["DELIVERED"]);
        assert_eq!(effects.told, ["UNKNOWN", "DELIVERED"]);
        let let_go = desk
            .counted("dlr_receipts_beyond_limit_total", theirs.operator)
            .await;
        assert_eq!(let_go, i64::try_from(2 * FLOOD).expect("few") + 1 - 12);
    });
}

#[test]
fn a_connectors_receipts_for_nobody_leave_no_more_orphans_than_the_quota() {
    run(async {
        const FLOOD: u64 = 60;
        let settings = [("DLR_GRACE", "1ms"), ("DLR_ORPHANS_PER_HOUR", "20")];
        let desk = desk_with(&settings).await;
        let mut places = Vec::new();
        for number in 0..FLOOD {
            // Another operator each time: names are free.
            let mut nobody = sms();
            nobody.operator_message = format!("nobody-{number}");
            places.push(desk.send(&receipt(&nobody)).await);
        }
        desk.done(places.into_iter().max().expect("many")).await;
        let sql = "select count(*), coalesce(max(hourly.orphans), 0) from (
                select count(*) as orphans from dlr.orphaned_receipts
                group by date_trunc('hour', received_at)
            ) hourly";
        let row = desk.database.query_one(sql, &[]).await.expect("reads");
        let (hours, most): (i64, i64) = (row.get(0), row.get(1));
        assert!(most <= 20, "{most} orphans in one hour");
        assert!(hours >= 1);
        // A known operator has a quota of its own.
        let known = desk.message().await;
        desk.receives(&receipt(&known)).await;
        let mut lost = sms();
        lost.operator = known.operator;
        desk.receives(&receipt(&lost)).await;
        assert_eq!(desk.orphans(&lost).await.len(), 1);
        // Nothing is lost: the stream keeps what was let go.
        let state: State = desk.stream_state().await;
        assert_eq!(state.messages, FLOOD + 2);
    });
}

#[test]
fn a_connectors_large_payload_for_nobody_is_kept_once_and_cut() {
    run(async {
        let desk = desk().await;
        let nobody = sms();
        let large = json!({ "text": "x".repeat(12_000) });
        desk.receives(&receipt(&nobody).with("rawPayload", large))
            .await;
        let sql = "select o.raw_payload is null, length(v.raw_payload), length(e.sealed::text)
            from dlr.orphaned_receipts o
            join dlr.orphans v using (orphan_id)
            join eventlog.event e using (log_id, position)
            where o.operator_message_id = $1";
        let row = desk
            .database
            .query_one(sql, &[&nobody.operator_message])
            .await
            .expect("one orphan");
        assert!(row.get::<_, bool>(0), "no copy in the table");
        let (payload, sealed): (i32, i32) = (row.get(1), row.get(2));
        assert!(payload > 1_024 && sealed < 2_048, "{payload}, {sealed}");
    });
}
