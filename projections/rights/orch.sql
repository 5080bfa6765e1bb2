-- What the orchestrator, whose schema orch is, grants to us. `tollbook migrate` grants nothing of it
-- and takes nothing away; `tollbook dlr` does not start without it (docs/ROLES.md).

grant usage on schema orch to dlr_svc;
grant select (
    message_id, tenant_id, account_id, operator_id, operator_message_id, to_msisdn,
    segment_count, status, dlr_status, dlr_received_at, processed_at, metadata, enqueued_at
) on orch.sms_messages to dlr_svc;
grant update (status, dlr_status, dlr_received_at, processed_at) on orch.sms_messages to dlr_svc;
