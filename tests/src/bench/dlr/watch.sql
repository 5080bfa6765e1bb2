-- watch: where the log's head is, and the slowest of the six checkpoints
select
    h.position as committed,
    (select case when count(*) = 6 then min(c.position) else 0 end from eventlog.checkpoint c)
        as visible
from eventlog.head h
where h.log_id = 1
