-- kept: how many facts hold a word anywhere
-- $1 the word.
select count(*) from eventlog.event e where e::text like '%' || $1 || '%'
