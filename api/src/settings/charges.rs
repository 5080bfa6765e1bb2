//! How settled messages are charged.

use clap::{ArgAction, Args};

use crate::config::values;

/// How settled messages are charged.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Charges")]
pub struct ChargeSettings {
    /// Whether settled messages are taken in; without it only the REST API and held charges
    #[arg(long, env = "BILLING_CONSUMER_ENABLED", default_value_t = true,
          action = ArgAction::Set)]
    pub billing_consumer_enabled: bool,
    /// The most settled messages at work in this process, from pull to commit
    #[arg(long, env = "BILLING_MAX_ACK_PENDING", default_value_t = 10_000,
          value_parser = values::number::<u32, 1, 1_000_000>)]
    pub billing_max_ack_pending: u32,
    /// The most settled messages taken in at once
    #[arg(long, env = "BILLING_BATCH", default_value_t = 1_000,
          value_parser = values::number::<u32, 1, 10_000>)]
    pub billing_batch: u32,
    /// The most tenants, prices and costs kept awake between two uses
    #[arg(long, env = "BILLING_LIVE_ACTORS", default_value_t = 2_000,
          value_parser = values::number::<u32, 100, 1_000_000>)]
    pub billing_live_actors: u32,
}
