//! The orchestrator, as far as we can see it: its table `orch.sms_messages` (CONTRACTS 6).
//!
//! In production the table belongs to another team. Here is a faithful copy for development and
//! tests, and a fast way to fill it. Nothing here is part of the services.

use std::pin::pin;

use schema::{AccountId, MessageId, OperatorId, OperatorMessageId, TenantId, Timestamp};
use tokio_postgres::{
    Client, Error,
    binary_copy::BinaryCopyInWriter,
    types::{Json, Type},
};

/// The status of a message that waits for its first receipt.
pub const SENT: &str = "SENT";

/// One message, as the orchestrator writes it down once the carrier took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrchestratorRow {
    /// The message.
    pub message_id: MessageId,
    /// Whose message.
    pub tenant_id: TenantId,
    /// On which account.
    pub account_id: AccountId,
    /// Through which carrier.
    pub operator_id: OperatorId,
    /// What the carrier calls it.
    pub operator_message_id: OperatorMessageId,
    /// The recipient, E.164. Invented: the country code 999 is assigned to nobody.
    pub to_msisdn: String,
    /// SMS segments, 1 to 10.
    pub segment_count: i16,
    /// A JSON object of strings, where the customer attached one.
    pub metadata: Option<serde_json::Value>,
    /// When the customer handed it in.
    pub enqueued_at: Timestamp,
}

/// Makes the schema, the table, its policies and its grants; may be run again.
///
/// The roles `dlr_svc` and `auditor` must be there (our migrations make them), and `client` must
/// be a superuser.
///
/// # Errors
/// The database refuses.
pub async fn install(client: &Client) -> Result<(), Error> {
    client
        .batch_execute(include_str!("orchestrator/schema.sql"))
        .await
}

/// Lets the database note every update that takes a final status away again, for the auditor.
/// Run it after [`install`].
///
/// # Errors
/// The database refuses.
pub async fn watch(client: &Client) -> Result<(), Error> {
    client
        .batch_execute(include_str!("orchestrator/watch.sql"))
        .await
}

/// Writes `rows` down in one go: all or none. Analyse the table after the first large batch.
///
/// # Errors
/// The database refuses, or `client` is bound by row-level security (COPY does not bear it).
pub async fn enqueue(client: &Client, rows: &[OrchestratorRow]) -> Result<(), Error> {
    const TYPES: [Type; 10] = [
        Type::UUID,
        Type::UUID,
        Type::UUID,
        Type::TEXT,
        Type::VARCHAR,
        Type::TEXT,
        Type::INT2,
        Type::TEXT,
        Type::JSONB,
        Type::TIMESTAMPTZ,
    ];
    let sink = client
        .copy_in(include_str!("orchestrator/enqueue.sql"))
        .await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &TYPES));
    for row in rows {
        writer
            .as_mut()
            .write(&[
                &row.message_id.0,
                &row.tenant_id.0,
                &row.account_id.0,
                &row.operator_id.to_string(),
                &row.operator_message_id.as_str(),
                &row.to_msisdn,
                &row.segment_count,
                &SENT,
                &row.metadata.as_ref().map(Json),
                &row.enqueued_at.datetime(),
            ])
            .await?;
    }
    writer.finish().await.map(drop)
}
