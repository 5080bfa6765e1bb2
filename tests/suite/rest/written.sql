-- written: how many facts somebody recorded, looks at accounts aside
-- $1 the caller's subject.
select count(*) from eventlog.event where category <> 'audit' and principal = $1
