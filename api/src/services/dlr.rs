//! The receipt processor.

use super::{ConsumerSpec, Intake, ServiceSpec};
use crate::nats::{User, plan::SMS_DLR};

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
    database_role: "dlr_svc",
    projections: projections::services::dlr::projections,
    probe_port: 3000,
    db_error: "dlr.db_error",
};
