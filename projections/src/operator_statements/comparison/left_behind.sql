-- find_left_statement_uploads: comparisons that began long ago, whose process must have died
-- $1 how many seconds ago at least.
select upload from billing.operator_statement_uploads
where began_at < now() - make_interval(secs => $1::bigint)
limit 10
