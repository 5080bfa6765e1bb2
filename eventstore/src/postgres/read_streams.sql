-- read_streams: all events of the streams asked for, numbered from 1 in the order asked
-- $1 log, $2 categories, $3 stream ids. The ordered lateral subquery makes it one index scan per stream.
select {columns}, s.n
from unnest($2::text[], $3::uuid[]) with ordinality as s (category, stream_id, n)
cross join lateral (
    select * from eventlog.event e
    where e.log_id = $1 and e.stream_id = s.stream_id and e.category = s.category
    order by e.version
) e
order by s.n, e.version
