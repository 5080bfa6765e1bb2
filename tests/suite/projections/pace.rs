//! Each projection goes at its own pace.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::Transaction;
use eventstore::{EventStore as _, Feed, LogId, contract::samples};
use projections::{
    ApplyError, Batch, Deps, Effect, Projection, Table as _,
    receipts::{delivery_receipts::DeliveryReceipts, publishers::billing_events::BillingEvents},
    runtime::metrics::ProjectionMetrics,
};
use schema::{EventType, Position};
use tokio::{sync::watch, time::timeout};

use crate::fixture::{Base, base, run};

/// How many events the log has; twenty batches.
const EVENTS: i64 = 40_000;
/// A projection that moves at least this often was waited for, once.
const MOVES: Duration = Duration::from_millis(400);

/// Takes everything; tells how far it is when it takes the next batch.
struct Pacer {
    name: &'static str,
    /// How far the other one must be before this one goes on from a position, if it is to wait.
    waits_for: Option<watch::Receiver<i64>>,
    at: watch::Sender<i64>,
    /// Where the other one was when this one had half of the log.
    other_at_half: Arc<AtomicI64>,
}

struct Nothing;

#[async_trait]
impl Projection for Pacer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn reads(&self) -> &'static [EventType] {
        &[EventType::MessageSettled]
    }

    async fn prepare(&self, batch: &Batch) -> Result<Box<dyn Effect>, ApplyError> {
        let (first, last) = (batch[0].position.0, batch[batch.len() - 1].position.0);
        self.at.send_replace(last);
        if let Some(mut other) = self.waits_for.clone() {
            let enough = (2 * last).min(EVENTS);
            let ahead = other.wait_for(|at| *at >= enough);
            // Does not stand still for longer, so that whoever waits for it goes on waiting.
            let _ = timeout(MOVES, ahead).await;
            if first <= EVENTS / 2 && EVENTS / 2 <= last {
                self.other_at_half.store(*other.borrow(), Ordering::Relaxed);
            }
        }
        Ok(Box::new(Nothing))
    }
}

#[async_trait]
impl Effect for Nothing {
    async fn apply(&mut self, _: &Transaction<'_>) -> Result<(), ApplyError> {
        Ok(())
    }
}

async fn fill(base: &Base) {
    let log = base.log("dlr_svc");
    for _ in 0..EVENTS / 1_000 {
        let appends = (0..1_000).map(|_| samples::append(samples::fresh(), 0, 1));
        log.append(appends.collect()).await.expect("appends");
    }
}

#[test]
fn a_projection_that_catches_up_holds_up_nobody() {
    run(async {
        let base = base().await;
        fill(&base).await;
        let other_at_half = Arc::new(AtomicI64::new(-1));
        let pacer = |name, waits_for| Pacer {
            name,
            waits_for,
            at: watch::Sender::new(0),
            other_at_half: Arc::clone(&other_at_half),
        };
        let quick = pacer(BillingEvents::NAME, None);
        let mut quick_at = quick.at.subscribe();
        let slow = pacer(DeliveryReceipts::NAME, Some(quick.at.subscribe()));
        let mut slow_at = slow.at.subscribe();
        let feed = Feed::new(Arc::new(base.log("dlr_svc")));
        feed.advanced_to(Position(EVENTS));
        let projectors = projections::start(Deps {
            log: LogId::DEFAULT,
            database: base.pool("dlr_svc"),
            feed,
            db_error: "dlr.db_error",
            metrics: Arc::new(ProjectionMetrics::default()),
            projections: vec![Arc::new(slow), Arc::new(quick)],
        });
        for at in [&mut quick_at, &mut slow_at] {
            let end = at.wait_for(|at| *at == EVENTS).await;
            end.expect("comes to the end");
        }
        projectors.stop().await;
        let other = other_at_half.load(Ordering::Relaxed);
        assert_eq!(other, EVENTS, "it was held back by the one behind it");
    });
}
