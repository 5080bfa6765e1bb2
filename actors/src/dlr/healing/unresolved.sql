-- unresolved: orphans that have not found their message, oldest first
-- $1 log, $2 received since, $3 after this position, $4 at most so many.
select o.position, o.orphan_id, o.operator_id, o.operator_message_id, o.message_hint
from dlr.orphaned_receipts o
where o.log_id = $1 and o.received_at >= $2 and o.position > $3
    and not exists (
        select from dlr.orphan_resolutions r where r.orphan_id = o.orphan_id
    )
order by o.position
limit $4
