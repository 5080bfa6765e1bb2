//! What each service needs of the database (CONTRACTS 6).

/// A right that the service cannot do without.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    /// `table`, `column` or `function`.
    pub kind: &'static str,
    /// With its schema; a column also with its table.
    pub name: &'static str,
    /// What the role must be allowed to do with it.
    pub right: &'static str,
}

const fn table(name: &'static str, right: &'static str) -> Need {
    Need {
        kind: "table",
        name,
        right,
    }
}

const fn column(name: &'static str, right: &'static str) -> Need {
    Need {
        kind: "column",
        name,
        right,
    }
}

const fn function(name: &'static str) -> Need {
    Need {
        kind: "function",
        name,
        right: "EXECUTE",
    }
}

/// What a service needs, and the role that has it.
#[derive(Debug, Clone, Copy)]
pub struct Needs {
    /// The role made for it.
    pub role: &'static str,
    /// What it cannot do without.
    pub all: &'static [Need],
}

/// Handling receipts.
pub const DLR: Needs = Needs {
    role: "dlr_svc",
    all: DLR_NEEDS,
};

/// Charging and answering.
pub const BILLING: Needs = Needs {
    role: "billing_svc",
    all: BILLING_NEEDS,
};

/// Comparing what was settled with what was charged.
pub const AUDITOR: Needs = Needs {
    role: "auditor",
    all: AUDITOR_NEEDS,
};

const AUDITOR_NEEDS: &[Need] = &[
    table("eventlog.head", "SELECT"),
    table("eventlog.event", "SELECT"),
    table("eventlog.tenant", "SELECT"),
];

const DLR_NEEDS: &[Need] = &[
    function("eventlog.append"),
    function("eventlog.take_checkpoint"),
    function("eventlog.advance_checkpoint"),
    function("eventlog.end_of_log"),
    function("eventlog.progress_of"),
    function("eventlog.enrol_tenant"),
    function("eventlog.recorded_at"),
    function("eventlog.enrol_day"),
    table("eventlog.event", "SELECT"),
    table("eventlog.log", "SELECT"),
    table("eventlog.head", "SELECT"),
    table("eventlog.projection", "SELECT"),
    table("eventlog.progress", "SELECT"),
    table("eventlog.checkpoint", "SELECT"),
    table("eventlog.read_permission", "SELECT"),
    table("eventlog.tenant", "SELECT"),
    table("eventlog.data_key", "SELECT"),
    table("eventlog.destroyed_key", "SELECT"),
    table("eventlog.master_key", "SELECT"),
    table("dlr.delivery_receipts", "SELECT"),
    table("dlr.delivery_receipts", "INSERT"),
    table("dlr.orphaned_receipts", "SELECT"),
    table("dlr.orphaned_receipts", "INSERT"),
    table("dlr.orphan_resolutions", "SELECT"),
    table("dlr.orphan_resolutions", "INSERT"),
    column("orch.sms_messages.message_id", "SELECT"),
    column("orch.sms_messages.tenant_id", "SELECT"),
    column("orch.sms_messages.account_id", "SELECT"),
    column("orch.sms_messages.operator_id", "SELECT"),
    column("orch.sms_messages.operator_message_id", "SELECT"),
    column("orch.sms_messages.to_msisdn", "SELECT"),
    column("orch.sms_messages.segment_count", "SELECT"),
    column("orch.sms_messages.metadata", "SELECT"),
    column("orch.sms_messages.enqueued_at", "SELECT"),
    column("orch.sms_messages.status", "SELECT"),
    column("orch.sms_messages.dlr_status", "SELECT"),
    column("orch.sms_messages.processed_at", "SELECT"),
    column("orch.sms_messages.status", "UPDATE"),
    column("orch.sms_messages.dlr_status", "UPDATE"),
    column("orch.sms_messages.dlr_received_at", "UPDATE"),
    column("orch.sms_messages.processed_at", "UPDATE"),
];

const BILLING_NEEDS: &[Need] = &[
    function("eventlog.append"),
    function("eventlog.take_checkpoint"),
    function("eventlog.advance_checkpoint"),
    function("eventlog.end_of_log"),
    function("eventlog.progress_of"),
    function("eventlog.enrol_tenant"),
    function("eventlog.recorded_at"),
    table("eventlog.event", "SELECT"),
    table("eventlog.log", "SELECT"),
    table("eventlog.head", "SELECT"),
    table("eventlog.projection", "SELECT"),
    table("eventlog.progress", "SELECT"),
    table("eventlog.checkpoint", "SELECT"),
    table("eventlog.read_permission", "SELECT"),
    table("eventlog.tenant", "SELECT"),
    table("eventlog.data_key", "SELECT"),
    table("eventlog.destroyed_key", "SELECT"),
    table("eventlog.master_key", "SELECT"),
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
    table("billing.accounts", "SELECT"),
    table("billing.accounts", "INSERT"),
    column("billing.accounts.account_tier", "UPDATE"),
    column("billing.accounts.currency", "UPDATE"),
    column("billing.accounts.billing_name", "UPDATE"),
    column("billing.accounts.billing_address", "UPDATE"),
    column("billing.accounts.sealed_version", "UPDATE"),
    column("billing.accounts.changed_at", "UPDATE"),
    column("billing.accounts.changed_position", "UPDATE"),
    table("billing.access_log", "SELECT"),
    table("billing.access_log", "INSERT"),
    table("billing.held_charges", "SELECT"),
    table("billing.held_charges", "INSERT"),
    column("billing.held_charges.resolved_at", "UPDATE"),
];
