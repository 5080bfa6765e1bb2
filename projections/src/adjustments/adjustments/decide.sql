-- decide_adjustments: says of adjustments that they are approved or rejected, and by whom
-- Each is decided once; applied again, nothing changes. $1 log; per adjustment: $2 position of the
-- decision, $3 adjustment, $4 status, $5 reason of a rejection, sealed, $6 the version it was sealed
-- in, $7 who decided, $8 when recorded.
update billing.adjustments a set
    status = f.status,
    rejection_reason = f.reason,
    rejection_version = case when f.reason is not null then f.version end,
    decided_by = f.decided_by,
    decided_at = f.decided_at,
    changed_position = f.position
from unnest(
    $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::integer[], $7::text[], $8::timestamptz[]
) as f (position, adjustment_id, status, reason, version, decided_by, decided_at)
where a.adjustment_id = f.adjustment_id and a.log_id = $1 and a.status = 'PROPOSED'
