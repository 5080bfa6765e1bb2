-- arrivals: position of each event, and when its receipt arrived in the stream, in microseconds
select
    e.position,
    (extract(epoch from (e.payload -> 'receipt' ->> 'receivedAt')::timestamptz) * 1000000)::bigint
from eventlog.event e
where e.log_id = 1
order by e.position
