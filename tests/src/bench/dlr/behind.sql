-- behind: how many events some projection of `tollbook dlr` has not taken in
select
    h.position
    - (select case when count(*) = 6 then min(c.position) else 0 end from eventlog.checkpoint c)
from eventlog.head h
where h.log_id = 1
