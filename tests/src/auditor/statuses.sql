-- auditor statuses
-- What the orchestrator's table says of each message.
SELECT message_id, status, dlr_status, dlr_received_at IS NOT NULL, processed_at IS NOT NULL
FROM orch.sms_messages
