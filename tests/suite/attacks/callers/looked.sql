-- looked: who looked at an account, or wanted to, and of which tenant they were
-- $1 the account's id.
select principal, payload ->> 'callerTenant'
from eventlog.event
where category = 'audit' and payload ->> 'accountId' = $1
