-- pace: receipts per second, and the median and 99th percentile from arrival to commit, in milliseconds
-- Only the prompt ones: a receipt that waited for its message's row waited on purpose. Receipts per
-- second are those of the nine tenths recorded first, over the time they took.
with receipt as (
    select
        e.position, e.recorded_at,
        (e.payload -> 'receipt' ->> 'receivedAt')::timestamptz as received_at
    from eventlog.event e
    where e.category = 'message' and not exists (
        select from eventlog.event m
        where m.type = 'OrphanMatched' and (m.payload ->> 'receiptId')::uuid = e.event_id
    )
), prompt as (
    select * from (
        select *, row_number() over (order by position) as n, count(*) over () as total
        from receipt
    ) numbered
    where n * 10 <= total * 9
)
select
    (count(*) / greatest(
        extract(epoch from max(recorded_at) - min(received_at)), 0.001
    ))::bigint,
    (extract(epoch from percentile_disc(0.5)
        within group (order by recorded_at - received_at)) * 1000)::bigint,
    (extract(epoch from percentile_disc(0.99)
        within group (order by recorded_at - received_at)) * 1000)::bigint
from prompt
