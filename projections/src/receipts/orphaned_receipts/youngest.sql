-- list_youngest_orphans: the latest orphans, and whether they have found their message
-- $1 log, $2 received since, $3 so many. The join by a limit looks each resolution up by its key.
select
    o.position, o.orphan_id, o.operator_id, o.operator_message_id, o.message_hint, o.received_at,
    r.resolved is null as open
from (
    select position, orphan_id, operator_id, operator_message_id, message_hint, received_at
    from dlr.orphaned_receipts
    where log_id = $1 and received_at >= $2
    order by received_at desc, position desc
    limit $3
) o
left join lateral (
    select true as resolved
    from dlr.orphan_resolutions s
    where s.log_id = $1 and s.orphan_id = o.orphan_id
    limit 1
) r on true
