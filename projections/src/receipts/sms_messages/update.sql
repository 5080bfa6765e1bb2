-- update_sms_messages: carries statuses to the orchestrator's table, only forward
-- A final status of ours is never overwritten, and a final status of the orchestrator's own stays
-- beside ours. One row per message, in the order of message ids, so that two writers lock rows in
-- the same order. $1 message, $2 status, $3 when recorded.
update orch.sms_messages m
set dlr_status = n.status,
    dlr_received_at = n.recorded_at,
    status = case
        when n.status = 'UNKNOWN'
            or m.status in ('DELIVERED', 'UNDELIVERED', 'EXPIRED', 'FAILED', 'REJECTED')
        then m.status else n.status end,
    processed_at = case when n.status = 'UNKNOWN' then m.processed_at else n.recorded_at end
from unnest($1::uuid[], $2::text[], $3::timestamptz[]) as n (message_id, status, recorded_at)
where m.message_id = n.message_id
    and (m.dlr_status is null
        or m.dlr_status not in ('DELIVERED', 'UNDELIVERED', 'EXPIRED', 'FAILED', 'REJECTED'))
