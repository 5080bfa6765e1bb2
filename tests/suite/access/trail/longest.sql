-- longest: the length of the longest stream of accesses, and how many streams there are
-- No parameters.
select max(version)::bigint, count(distinct stream_id)
from eventlog.event
where category = 'audit'
