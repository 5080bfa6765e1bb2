-- find_unbilled: messages settled in a stretch of the log that are neither charged nor held
-- $1 log, $2 the position before the stretch, $3 its last position, $4 recorded before this time. No
-- tenant where it is erased.
select s.stream_id, t.pseudonym, t.tenant_id
from eventlog.event s
left join eventlog.tenant t on t.pseudonym = s.tenant
where s.log_id = $1 and s.position > $2 and s.position <= $3 and s.recorded_at < $4
    and s.category = 'message' and s.type = 'MessageSettled'
    and not exists (
        select from eventlog.event c
        where c.log_id = $1 and c.stream_id = s.stream_id and c.category = 'charge'
    )
order by s.position
