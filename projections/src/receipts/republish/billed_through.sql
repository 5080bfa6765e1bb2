-- find_billed_through: when that was settled which billing has come to
-- $1 log, $2 the end of the log. The latest settlement among the newest 1 000 messages that are
-- charged or held. Null if none of the newest 100 000 events is one: then billing stands still, and
-- whatever is missing may be on its way.
select max(s.recorded_at) as billed_through
from (
    select c.stream_id from eventlog.event c
    where c.log_id = $1 and c.position > $2::bigint - 100000 and c.category = 'charge' and c.version = 1
    order by c.position desc
    limit 1000
) charge
join eventlog.event s
    on s.log_id = $1 and s.stream_id = charge.stream_id and s.category = 'message'
    and s.type = 'MessageSettled'
