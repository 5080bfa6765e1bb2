-- account_events: everything that the log keeps of an account
-- $1 account.
select payload::text || coalesce(sealed::text, '') || principal
from eventlog.event
where category = 'account' and account = $1
