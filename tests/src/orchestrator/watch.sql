-- orchestrator watch
-- For tests alone: notes every update that takes a final status away again. The end state cannot
-- show it, because a later update may put things right. The condition is part of the trigger, so
-- that updates that go forward cost next to nothing.

CREATE TABLE IF NOT EXISTS orch.went_back (
    message_id uuid        NOT NULL,
    was        varchar(16) NOT NULL,
    became     varchar(16)
);

ALTER TABLE orch.went_back OWNER TO orchestrator;

CREATE OR REPLACE FUNCTION orch.note_going_back() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO orch.went_back (message_id, was, became)
    VALUES (old.message_id, old.dlr_status, new.dlr_status);
    RETURN NULL;
END
$$;

ALTER FUNCTION orch.note_going_back() OWNER TO orchestrator;

DROP TRIGGER IF EXISTS sms_messages_never_go_back ON orch.sms_messages;
CREATE TRIGGER sms_messages_never_go_back
    AFTER UPDATE ON orch.sms_messages
    FOR EACH ROW
    WHEN (old.dlr_status IN ('DELIVERED', 'UNDELIVERED', 'EXPIRED', 'FAILED', 'REJECTED')
          AND (new.dlr_status IS DISTINCT FROM old.dlr_status
               OR new.status IS DISTINCT FROM old.status))
    EXECUTE FUNCTION orch.note_going_back();

GRANT SELECT ON orch.went_back TO auditor;
