-- read_after: the events of a stretch of the log, in order
-- $1 log, $2 the position before the stretch, $3 its last position.
select {columns}
from eventlog.event e
where e.log_id = $1 and e.position > $2 and e.position <= $3
order by e.position
