-- watch: where the log's head is, and the slowest checkpoint of what shows charges and usage
select
    h.position as committed,
    (
        select case when count(*) = 2 then min(c.position) else 0 end
        from eventlog.checkpoint c
        where c.projection in ('billing_events', 'usage_summaries')
    ) as visible
from eventlog.head h
where h.log_id = 1
