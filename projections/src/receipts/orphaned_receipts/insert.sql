-- insert_orphaned_receipts: adds a row per receipt that matched no message in its grace period
-- $1 log; per orphan: $2 position, $3 orphan, $4 operator, $5 the operator's id of the message,
-- $6 word, $7 status, $8 when delivered, $9 when received, $10 the connector's guess at the message.
insert into dlr.orphaned_receipts (
    log_id, position, orphan_id, operator_id, operator_message_id, raw_stat, dlr_status,
    delivered_at, received_at, message_hint
)
select $1, f.position, f.orphan_id, f.operator_id::text, f.operator_message_id, f.raw_stat,
    f.dlr_status, f.delivered_at, f.received_at, f.message_hint
from unnest(
    $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
    $9::timestamptz[], $10::uuid[]
) as f (
    position, orphan_id, operator_id, operator_message_id, raw_stat, dlr_status, delivered_at,
    received_at, message_hint
)
on conflict (log_id, position) do nothing
