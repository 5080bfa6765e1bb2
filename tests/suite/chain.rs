//! Both services at work on one traffic, from receipts to usage, and the auditor's word on it.

use tests::{
    auditor::Report,
    drive::{self, Quiet},
    traffic::{Agreement, Expected, Shape, agreement::Comes},
    world::{Rest, World},
};

use crate::{
    faults::fixture::Load,
    fixture::{PATIENCE, dense, eventually},
};

/// A traffic whose accounts, prices and costs are agreed.
pub(crate) struct Chain {
    shape: Shape,
    agreement: Agreement,
}

impl Chain {
    /// Draws it, and agrees on prices over REST.
    pub(crate) async fn agreed(rest: &Rest, seed: u64, messages: u64) -> Self {
        let shape = Shape::new(seed, messages, eventstore::clock::now());
        let agreement = Agreement::draw(&shape);
        let agreed = drive::agree(rest, &agreement, Comes::First).await;
        agreed.expect("agreed");
        Self { shape, agreement }
    }

    /// Sends all of it where servers are restarted meanwhile: what was not acknowledged is sent again.
    pub(crate) async fn insist(self, world: &World, per_second: u32) -> Expected {
        let load = Load::prepare(world, &self.shape).await;
        load.publish(world, per_second).await;
        let mut expected = load.finish(world).await;
        expected.agreement = Some(self.agreement);
        expected
    }

    /// Sends all of it, so many receipts a second, and says what must come of it.
    pub(crate) async fn send(self, world: &World, rate: Option<u64>) -> Expected {
        let sent = drive::send(world, &self.shape, rate, &Quiet).await;
        let mut expected = sent.expect("sent");
        expected.agreement = Some(self.agreement);
        expected
    }
}

/// Agrees on what is still missing, waits for rest, and lets the auditor look: nothing lost,
/// doubled or wrong, and the log dense.
pub(crate) async fn balances(world: &World, rest: &Rest, expected: &Expected) -> Report {
    comes_to_rest(world).await;
    let agreement = expected.agreement.as_ref().expect("agreed");
    let agreed = drive::agree(rest, agreement, Comes::Later).await;
    agreed.expect("agreed");
    let database = world.admin().await.expect("postgres");
    let settled = drive::settled(&database).await.expect("reads");
    let held = agreement.reckon(&settled, Comes::Later).held();
    eventually("what can be charged is charged", async || {
        let waiting = drive::waiting(&database).await.expect("reads");
        (waiting == held).then_some(())
    })
    .await;
    comes_to_rest(world).await;
    let report = world.audit_with_billing(expected).await.expect("audited");
    assert!(report.balanced(), "{:#?}", report.findings);
    assert!(report.counts.settled > 0 && report.counts.charges > 0);
    dense(&world.admin().await.expect("postgres")).await;
    report
}

async fn comes_to_rest(world: &World) {
    let rest = drive::rest_with_billing(world, PATIENCE).await;
    rest.expect("comes to rest");
}
