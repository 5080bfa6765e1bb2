-- arrivals: position of each charge, and when its settlement arrived in the stream, in microseconds
select
    e.position,
    (extract(epoch from (e.payload -> 'settlement' ->> 'receivedAt')::timestamptz)
        * 1000000)::bigint
from eventlog.event e
where e.log_id = 1 and e.category = 'charge'
order by e.position
