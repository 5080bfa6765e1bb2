-- complain
-- A trigger of the orchestrator's that says in its own words which message it will not have.
CREATE OR REPLACE FUNCTION orch.complain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.status = 'REJECTED' THEN
        RAISE EXCEPTION 'no rejects to %, please', new.to_msisdn
            USING detail = new.metadata::text, hint = new.to_msisdn;
    END IF;
    RETURN new;
END
$$;
CREATE OR REPLACE TRIGGER complain BEFORE UPDATE ON orch.sms_messages
    FOR EACH ROW EXECUTE FUNCTION orch.complain();
