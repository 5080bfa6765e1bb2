//! Many receipts without a message must not hold up those that have one, nor reconciliation.

use futures::future::join_all;
use tests::world::{World, WorldOptions};

use super::fixture::{Desk, receipt, settled_as, sms};
use crate::fixture::{eventually, run, unique};

/// As many as the consumer lets be delivered and not acknowledged.
const MANY: usize = 10_000;

async fn desk(settings: &[(&'static str, &str)]) -> Desk {
    let world = World::start(WorldOptions::default()).await;
    Desk::with(world.expect("a world"), settings).await
}

#[test]
fn receipts_that_wait_for_their_message_hold_up_nobody() {
    run(async {
        // Nobody's patience lasts that long: what waits, waits for good.
        let desk = desk(&[("DLR_GRACE", "2h"), ("DLR_WAITING_MAX", "100")]).await;
        let nobody = sms();
        let unmatched = (0..MANY).map(|number| {
            let mut part = nobody.clone();
            part.operator_message = format!("nobody-{number}");
            receipt(&part)
        });
        let receipts: Vec<_> = unmatched.collect();
        for some in receipts.chunks(1_000) {
            join_all(some.iter().map(|receipt| desk.send(receipt))).await;
        }
        let good = desk.message().await;
        desk.send(&receipt(&good)).await;
        let sql = "select count(*) from dlr.delivery_receipts where message_id = $1";
        eventually("the good receipt is there", async || {
            let row = desk.database.query_one(sql, &[&good.id]).await.ok()?;
            (row.get::<_, i64>(0) == 1).then_some(())
        })
        .await;
        desk.done(0).await;
        assert_eq!(
            desk.effects(&good).await,
            settled_as("DELIVRD", "DELIVERED")
        );
        let cut_short = desk.service.metric("dlr_grace_cut_short_total").await;
        let early = i64::try_from(MANY - 100).expect("few");
        assert!(cut_short >= Some(early), "{cut_short:?}");
    });
}

#[test]
fn a_message_that_comes_late_heals_behind_many_that_never_come() {
    run(async {
        let desk = desk(&[("DLR_GRACE", "1ms"), ("DLR_ORPHANS_PER_HOUR", "100000")]).await;
        // Orphans of days ago, of which some found their messages: more than a look takes.
        let sql = "insert into dlr.orphaned_receipts (log_id, position, orphan_id, operator_id,
                operator_message_id, raw_stat, dlr_status, delivered_at, received_at)
            select 1, 1000000 + n, gen_random_uuid(), $1::text, 'old-' || n, 'DELIVRD', 'DELIVERED',
                now() - interval '1 day', now() - interval '1 day'
            from generate_series(1, 5000) n";
        let operator = unique().to_string();
        desk.database.execute(sql, &[&operator]).await.expect("may");
        let late = sms();
        desk.receives(&receipt(&late)).await;
        assert_eq!(desk.orphans(&late).await.len(), 1);
        desk.enqueue(&late).await;
        eventually("the orphan is healed", async || {
            let orphans = desk.orphans(&late).await;
            orphans.iter().all(|(_, resolved)| *resolved).then_some(())
        })
        .await;
        desk.done(0).await;
        assert_eq!(
            desk.effects(&late).await,
            settled_as("DELIVRD", "DELIVERED")
        );
    });
}
