-- insert_orphan_resolutions: adds a row per orphan that found its message
-- $1 log; per orphan: $2 position, $3 orphan, $4 when, $5 the receipt it became, $6 the message.
insert into dlr.orphan_resolutions (
    log_id, position, orphan_id, resolved_at, resolved_receipt_id, message_id
)
select $1, f.position, f.orphan_id, f.resolved_at, f.resolved_receipt_id, f.message_id
from unnest($2::bigint[], $3::uuid[], $4::timestamptz[], $5::uuid[], $6::uuid[])
    as f (position, orphan_id, resolved_at, resolved_receipt_id, message_id)
on conflict (log_id, position) do nothing
