-- list_orphans: orphans in the order of their arrival, and whether they have found their message
-- $1 log, $2 and $3 after the one received then at this position, $4 so many. The join by a limit
-- looks each resolution up by its key.
select
    o.position, o.orphan_id, o.operator_id, o.operator_message_id, o.message_hint, o.received_at,
    r.resolved is null as open
from (
    select position, orphan_id, operator_id, operator_message_id, message_hint, received_at
    from dlr.orphaned_receipts
    where log_id = $1 and (received_at, position) > ($2, $3)
    order by received_at, position
    limit $4
) o
left join lateral (
    select true as resolved
    from dlr.orphan_resolutions s
    where s.log_id = $1 and s.orphan_id = o.orphan_id
    limit 1
) r on true
order by o.received_at, o.position
