//! Billing.

use super::{ConsumerSpec, Intake, ServiceSpec};
use crate::nats::{
    User,
    plan::{BILLING_EVENTS, TENANT_EVENTS},
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
    other_consumers: &[&ERASURES],
    database_role: "billing_svc",
    projections: |_, _| projections::services::billing::projections(),
    probe_port: 9464,
    db_error: "billing.db_error",
};

/// Where it hears which tenants are erased.
pub static ERASURES: ConsumerSpec = ConsumerSpec {
    stream: TENANT_EVENTS,
    name: "billing-tenant-consumer",
};
