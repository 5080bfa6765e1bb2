-- orchestrator schema
-- A faithful copy of the orchestrator's table, for development and tests only. In production it
-- belongs to another team; we rely on these columns (CONTRACTS 6) and on nothing else.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'orchestrator') THEN
        CREATE ROLE orchestrator NOLOGIN;
    END IF;
EXCEPTION
    -- Two test databases of one server are being prepared at the same time.
    WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

CREATE SCHEMA IF NOT EXISTS orch AUTHORIZATION orchestrator;

-- One row per message handed to a carrier. Updated twice in its life, so pages keep room for it.
CREATE TABLE IF NOT EXISTS orch.sms_messages (
    message_id          uuid        CONSTRAINT sms_messages_pk PRIMARY KEY,
    tenant_id           uuid        NOT NULL,
    account_id          uuid        NOT NULL,
    operator_id         text        NOT NULL,
    operator_message_id varchar(64) NOT NULL,
    to_msisdn           text        NOT NULL,
    segment_count       smallint    NOT NULL,
    status              text        NOT NULL,
    dlr_status          varchar(16),
    dlr_received_at     timestamptz,
    processed_at        timestamptz,
    metadata            jsonb,
    enqueued_at         timestamptz NOT NULL
) WITH (fillfactor = 80);

ALTER TABLE orch.sms_messages OWNER TO orchestrator;

CREATE INDEX IF NOT EXISTS sms_messages_operator_ids
    ON orch.sms_messages (operator_id, operator_message_id);

ALTER TABLE orch.sms_messages ENABLE ROW LEVEL SECURITY;

DROP POLICY IF EXISTS dlr_svc_all ON orch.sms_messages;
CREATE POLICY dlr_svc_all ON orch.sms_messages TO dlr_svc USING (true) WITH CHECK (true);

GRANT USAGE ON SCHEMA orch TO dlr_svc;
GRANT SELECT (message_id, tenant_id, account_id, operator_id, operator_message_id, to_msisdn,
              segment_count, status, dlr_status, dlr_received_at, processed_at, metadata,
              enqueued_at)
    ON orch.sms_messages TO dlr_svc;
GRANT UPDATE (status, dlr_status, dlr_received_at, processed_at) ON orch.sms_messages TO dlr_svc;
