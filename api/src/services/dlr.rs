//! The receipt processor.

use super::{ConsumerSpec, Intake, ServiceSpec};
use crate::{
    database::needs::{self, Need, Needs, column, function, table},
    nats::{User, plan::SMS_DLR},
};

/// Takes in delivery receipts, records and publishes them.
pub static DLR: ServiceSpec = ServiceSpec {
    user: User {
        name: "dlr-processor",
        inbox: "_INBOX_dlr",
    },
    intake: Intake {
        consumer: ConsumerSpec {
            stream: SMS_DLR,
            name: "dlr-processor",
        },
        stream_name: |nats| &nats.nats_stream_dlr,
        replay: "dlr-replay",
    },
    other_consumers: &[],
    needs: Needs {
        role: "dlr_svc",
        all: &[needs::LOG, ORPHANS, RECEIPTS, MESSAGES],
    },
    projections: projections::services::dlr::projections,
    probe_port: 3000,
    db_error: "dlr.db_error",
};

/// Orphans are sealed under the key of their day.
const ORPHANS: &[Need] = &[function("eventlog.enrol_day")];

const RECEIPTS: &[Need] = &[
    table("dlr.delivery_receipts", "SELECT"),
    table("dlr.delivery_receipts", "INSERT"),
    table("dlr.orphaned_receipts", "SELECT"),
    table("dlr.orphaned_receipts", "INSERT"),
    table("dlr.orphan_resolutions", "SELECT"),
    table("dlr.orphan_resolutions", "INSERT"),
];

/// The orchestrator's table, of which only what became of a message is ours to write.
const MESSAGES: &[Need] = &[
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
