-- pace: receipts per second, and the median and 99th percentile from arrival to commit, in milliseconds
-- Only receipts that found their message at once: the others wait on purpose.
with direct as (
    select
        e.recorded_at,
        (e.payload -> 'receipt' ->> 'receivedAt')::timestamptz as received_at
    from eventlog.event e
    where e.category = 'message'
        and not exists (
            select from eventlog.event m
            where m.type = 'OrphanMatched' and (m.payload ->> 'receiptId')::uuid = e.event_id
        )
), prompt as (
    select * from direct where recorded_at - received_at < interval '1 second'
        or received_at < (select min(received_at) + interval '1 second' from direct)
), latency as (
    select extract(epoch from recorded_at - received_at) * 1000 as ms from direct
)
select
    (count(*) / greatest(
        extract(epoch from max(recorded_at) - min(received_at)), 0.001
    ))::bigint,
    (select percentile_disc(0.5) within group (order by ms) from latency)::bigint,
    (select percentile_disc(0.99) within group (order by ms) from latency)::bigint
from prompt
