-- written: how many facts somebody recorded, looks at accounts aside
-- $1 the caller's subject, the last word of the principal.
select count(*) from eventlog.event
where category <> 'audit' and right(principal, length($1) + 1) = ' ' || $1
