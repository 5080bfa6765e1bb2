-- behind: how many events some of the named projections have not taken in
select
    h.position
    - (
        select case when count(*) = cardinality($1::text[]) then min(c.position) else 0 end
        from eventlog.checkpoint c
        where c.projection = any($1::text[])
    )
from eventlog.head h
where h.log_id = 1
