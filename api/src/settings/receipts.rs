//! How `tollbook dlr` and `tollbook reconcile` handle receipts.

use std::time::Duration;

use clap::Args;

use super::values;

/// How receipts are handled.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Receipts")]
pub struct ReceiptSettings {
    /// How long a receipt that matches no message is tried again before it is an orphan
    #[arg(long, env = "DLR_GRACE", default_value = "5s", value_parser = values::duration)]
    pub dlr_grace: Duration,
    /// How long orphans are matched again in the background
    #[arg(long, env = "DLR_ORPHAN_KEEP", default_value = "72h", value_parser = values::duration)]
    pub dlr_orphan_keep: Duration,
    /// How long after it was handed in a message is found by its receipts; carriers use their ids
    /// again after some weeks
    #[arg(long, env = "DLR_MATCH_WINDOW", default_value = "7d", value_parser = values::duration)]
    pub dlr_match_window: Duration,
    /// The most receipts of this process that wait out their grace period at the same time; more
    /// are orphans at once and are matched like any other
    #[arg(long, env = "DLR_WAITING_MAX", default_value_t = 500,
          value_parser = values::number::<u32, 1, 1_000_000>)]
    pub dlr_waiting_max: u32,
    /// The most orphans this process keeps of one operator and hour; more are counted and let go
    #[arg(long, env = "DLR_ORPHANS_PER_HOUR", default_value_t = 20_000,
          value_parser = values::number::<u32, 1, 100_000_000>)]
    pub dlr_orphans_per_hour: u32,
    /// The most receipts at work in this process, from pull to commit
    #[arg(long, env = "DLR_MAX_ACK_PENDING", default_value_t = 10_000,
          value_parser = values::number::<u32, 1, 1_000_000>)]
    pub dlr_max_ack_pending: u32,
    /// The most receipts taken in at once
    #[arg(long, env = "DLR_BATCH", default_value_t = 1_000,
          value_parser = values::number::<u32, 1, 10_000>)]
    pub dlr_batch: u32,
    /// The most messages kept in memory between their receipts
    #[arg(long, env = "DLR_LIVE_ACTORS", default_value_t = 20_000,
          value_parser = values::number::<u32, 100, 1_000_000>)]
    pub dlr_live_actors: u32,
}
