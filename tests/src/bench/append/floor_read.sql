-- floor_read: the columns that the log's readers ask for, of a stretch of the log, in order
-- $1 the position before the stretch, $2 its last position.
select
    e.position, e.recorded_at, e.occurred_at, e.stream_id, e.event_id, e.tenant, e.account,
    e.cause, e.version, e.schema_version, e.category, e.type, e.principal, e.trace, e.payload,
    e.sealed
from eventlog.event e
where e.log_id = 1 and e.position > $1 and e.position <= $2
order by e.position
