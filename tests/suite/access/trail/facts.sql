-- facts: the accesses of a caller, in the order in which they were recorded
-- $1 the end of the name that the log has of them.
select stream_id, type, payload ->> 'endpoint', tenant, payload ->> 'accountId',
    coalesce((payload ->> 'calls')::bigint, 1)
from eventlog.event
where category = 'audit' and principal like '% ' || $1
order by position
