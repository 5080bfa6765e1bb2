//! Billing.

use super::{ConsumerSpec, Intake, ServiceSpec};
use crate::{
    database::needs::{self, Need, Needs, column, table},
    nats::{
        User,
        plan::{BILLING_EVENTS, TENANT_EVENTS},
    },
};

/// Charges settled messages and answers about it.
pub static BILLING: ServiceSpec = ServiceSpec {
    user: User {
        name: "billing-service",
        inbox: "_INBOX_billing",
    },
    intake: Intake {
        consumer: ConsumerSpec {
            stream: BILLING_EVENTS,
            name: "billing-consumer",
        },
        stream_name: |_| BILLING_EVENTS.name,
        replay: "billing-replay",
    },
    other_consumers: &[ConsumerSpec {
        stream: TENANT_EVENTS,
        name: "billing-tenant-consumer",
    }],
    needs: Needs {
        role: "billing_svc",
        all: &[needs::LOG, CHARGES, PRICES, ACCOUNTS, ACCESS],
    },
    projections: |_, _| projections::services::billing::projections(),
    probe_port: 9464,
    db_error: "billing.db_error",
};

const CHARGES: &[Need] = &[
    table("billing.billing_events", "SELECT"),
    table("billing.billing_events", "INSERT"),
    table("billing.usage_summaries", "SELECT"),
    table("billing.usage_summaries", "INSERT"),
    column("billing.usage_summaries.message_count", "UPDATE"),
    column("billing.usage_summaries.segment_count", "UPDATE"),
    column("billing.usage_summaries.customer_price", "UPDATE"),
    column("billing.usage_summaries.operator_cost", "UPDATE"),
    column("billing.usage_summaries.position", "UPDATE"),
    table("billing.usage_days", "SELECT"),
    table("billing.usage_days", "INSERT"),
    column("billing.usage_days.message_count", "UPDATE"),
    column("billing.usage_days.segment_count", "UPDATE"),
    column("billing.usage_days.customer_price", "UPDATE"),
    column("billing.usage_days.operator_cost", "UPDATE"),
    column("billing.usage_days.position", "UPDATE"),
    table("billing.usage_counted", "SELECT"),
    table("billing.usage_counted", "INSERT"),
    column("billing.usage_counted.position", "UPDATE"),
    table("billing.held_charges", "SELECT"),
    table("billing.held_charges", "INSERT"),
    column("billing.held_charges.resolved_at", "UPDATE"),
];

const PRICES: &[Need] = &[
    table("billing.pricing_tables", "SELECT"),
    table("billing.pricing_tables", "INSERT"),
    column("billing.pricing_tables.effective_to", "UPDATE"),
    column("billing.pricing_tables.closed_by", "UPDATE"),
    column("billing.pricing_tables.changed_position", "UPDATE"),
    table("billing.operator_costs", "SELECT"),
    table("billing.operator_costs", "INSERT"),
    column("billing.operator_costs.effective_to", "UPDATE"),
    column("billing.operator_costs.closed_by", "UPDATE"),
    column("billing.operator_costs.changed_position", "UPDATE"),
];

const ACCOUNTS: &[Need] = &[
    table("billing.accounts", "SELECT"),
    table("billing.accounts", "INSERT"),
    column("billing.accounts.account_tier", "UPDATE"),
    column("billing.accounts.currency", "UPDATE"),
    column("billing.accounts.billing_name", "UPDATE"),
    column("billing.accounts.billing_address", "UPDATE"),
    column("billing.accounts.sealed_version", "UPDATE"),
    column("billing.accounts.changed_at", "UPDATE"),
    column("billing.accounts.changed_position", "UPDATE"),
];

const ACCESS: &[Need] = &[
    table("billing.access_log", "SELECT"),
    table("billing.access_log", "INSERT"),
];
