-- dense: whether positions, versions and times of the log are as L2 and L3 say
-- Head, number of events, gaps between positions, gaps between versions, times that go back.
with ordered as (
    select
        position - row_number() over (order by position) as off,
        version - row_number() over (
            partition by category, stream_id order by position
        ) as version_off,
        recorded_at < lag(recorded_at) over (order by position) as back
    from eventlog.event
    where log_id = 1
)
select
    (select h.position from eventlog.head h where h.log_id = 1),
    count(*),
    count(*) filter (where off <> 0),
    count(*) filter (where version_off <> 0),
    count(*) filter (where back)
from ordered
