-- orchestrator enqueue
-- Takes rows by binary COPY; the columns nobody has written yet are left out.
COPY orch.sms_messages (
    message_id, tenant_id, account_id, operator_id, operator_message_id, to_msisdn,
    segment_count, status, metadata, enqueued_at
) FROM STDIN BINARY
