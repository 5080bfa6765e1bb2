-- forbid
-- A rule of the orchestrator's that the whole row breaks; the complaint is withdrawn.
DROP TRIGGER complain ON orch.sms_messages;
ALTER TABLE orch.sms_messages
    ADD CONSTRAINT no_rejects CHECK (status <> 'REJECTED' OR enqueued_at < now() - interval '1 day')
    NOT VALID;
