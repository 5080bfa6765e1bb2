-- read_streams: all events of the streams asked for, numbered from 1 in the order asked
-- $1 log, $2 categories, $3 stream ids. The ordered lateral subquery makes it one index scan per stream.
select
    e.position, e.recorded_at, e.occurred_at, e.stream_id, e.event_id, e.tenant, e.account,
    e.cause, e.version, e.schema_version, e.category, e.type, e.principal, e.trace, e.payload,
    e.sealed, s.n
from unnest($2::text[], $3::uuid[]) with ordinality as s (category, stream_id, n)
cross join lateral (
    select * from eventlog.event e
    where e.log_id = $1 and e.stream_id = s.stream_id and e.category = s.category
    order by e.version
) e
order by s.n, e.version
