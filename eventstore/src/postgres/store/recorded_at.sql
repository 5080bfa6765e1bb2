-- read_times: when the events at these positions were recorded, in the order asked
-- $1 log, $2 positions. Null beyond the head.
select eventlog.recorded_at($1, asked.position)
from unnest($2::bigint[]) with ordinality as asked (position, n)
order by asked.n
