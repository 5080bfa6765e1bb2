//! Postgres quotes the row that breaks a rule. The orchestrator's rows hold numbers, and their rules
//! are not ours: whatever they refuse, no number of theirs is in what we say of it.

use super::{
    arrivals::{Private, Whose},
    sinks::{Sink, of_service},
    stage::Stage,
};
use crate::fixture::{eventually, unique};

/// A trigger that complains of the number, and later a rule that the whole row breaks.
const COMPLAIN: &str = include_str!("refused_rows/complain.sql");
const FORBID: &str = include_str!("refused_rows/forbid.sql");

/// Settles two messages that the orchestrator's table refuses to show as settled; what `dlr` and
/// the collector have then. The second one stops a projection for good.
pub(crate) async fn said(stage: &Stage, private: &Private, of: Whose) -> Vec<Sink> {
    for (rule, tells) in [(COMPLAIN, "dlr.db_error"), (FORBID, "projection.stopped")] {
        stage.database.batch_execute(rule).await.expect("a rule");
        let message = unique();
        stage.enqueue(&[private.row(of, message)]).await;
        let receipt = private.receipt(of, message, "REJECTD");
        let payload = receipt.to_string().into();
        stage.receive(async_nats::HeaderMap::new(), payload).await;
        eventually("the refusal is told", async || {
            let log = stage.dlr.log();
            let mut lines = log.lines();
            let told = |line: &str| line.contains(tells) && line.contains("sms_messages");
            lines.any(told).then_some(())
        })
        .await;
    }
    let mut sinks = of_service("dlr after a refused row", &stage.dlr).await;
    sinks.push(Sink::new(
        "the traces of a refused row",
        stage.collector.sent(),
    ));
    sinks
}
