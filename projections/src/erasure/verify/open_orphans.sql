-- open_orphans: the days whose keys are left and seal receipts that turned out to be a tenant's
-- $1 log, $2 pseudonym. Per day, how many receipts.
select k.day, count(distinct o.event_id)
from eventlog.event m
join eventlog.event o
    on o.log_id = m.log_id and o.stream_id = m.stream_id and o.category = 'orphan'
    and o.type = 'ReceiptOrphaned' and o.event_id = (m.payload ->> 'orphanId')::uuid
cross join lateral json_each_text(o.sealed) v
join eventlog.data_key k on k.key_id = split_part(v.value, '.', 1)::bigint
where m.log_id = $1 and m.category = 'orphan' and m.type = 'OrphanMatched'
    and exists (
        select from eventlog.event r
        where r.log_id = m.log_id and r.stream_id = (m.payload ->> 'messageId')::uuid
            and r.category = 'message' and r.tenant = $2
    )
group by k.day
order by k.day
