-- written: how many facts callers recorded whose names begin so, looks at others' data aside
-- $1 the beginning of the last word of the principal.
select count(*) from eventlog.event
where category <> 'audit' and principal like '% ' || $1 || '%'
