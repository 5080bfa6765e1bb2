-- looks: the looks at accounts of others that one request made
-- $1 the request's id.
select type, payload ->> 'accountId', payload ->> 'code'
from eventlog.event
where category = 'audit' and payload ->> 'requestId' = $1
