-- list_operator_statements: statements that were compared, in the order of that, with their sums
-- A null leaves the filter out. $1 log, $2 after this position, $3 at most, $4 carrier.
select
    position, statement_id, operator_id, first_day, last_day, currency, content, sha256, line_count,
    sums, '[]'::jsonb as differences, compared_by, compared_at
from billing.operator_statements
where log_id = $1 and position > $2 and ($4::uuid is null or operator_id = $4)
order by position
limit $3
