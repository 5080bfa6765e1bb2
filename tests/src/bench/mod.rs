//! `./dev bench …`: how fast it is, measured on real servers of this machine.
//!
//! A bench prints every figure next to its bar, and with `--json` one object with stable keys as
//! its last line, so that anyone can compare over time. Machines differ by a factor of two to four,
//! so each bench measures its floor in the same run: the same durable work without our code. Bars
//! of rates are shares of it, and only such shares can be compared between machines. A bench judges
//! nothing: a missed bar is told, not an error.

mod append;
mod bare_loop;
mod billing;
mod connect;
mod cpu;
mod dlr;
mod measure;
mod report;
mod secure;
mod watcher;

use crate::world::Fault;

/// What `./dev bench` can measure.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Bench {
    /// Receipts: a bare loop, the ordinary way, Tollbook; and latency under open-loop load.
    Dlr(dlr::DlrArgs),
    /// Charges: ingest and the whole chain with bare loops beside them, latency under open-loop
    /// load, and questions of usage.
    Billing(billing::BillingArgs),
    /// What TLS and sealing cost receipts and charges, with and without in one run.
    Secure(secure::SecureArgs),
    /// The log: appends of every size, read-back, what Postgres does without us, and whether the
    /// cost grows with the log.
    Append(append::AppendArgs),
}

/// Runs a bench and prints what it measured.
///
/// # Errors
/// A server or the code under test does not do its part.
pub async fn run(bench: Bench) -> Result<(), Fault> {
    match bench {
        Bench::Dlr(args) => Box::pin(dlr::run(args)).await,
        Bench::Billing(args) => Box::pin(billing::run(args)).await,
        Bench::Secure(args) => Box::pin(secure::run(args)).await,
        Bench::Append(args) => Box::pin(append::run(args)).await,
    }
}

/// Says on stderr what is going on.
fn step(began: tokio::time::Instant, words: &str) {
    eprintln!("  {:>3} s  {words}", began.elapsed().as_secs());
}
