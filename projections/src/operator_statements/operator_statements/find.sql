-- find_operator_statement: a statement that was compared, with its differences
-- $1 log, $2 statement.
select
    position, statement_id, operator_id, first_day, last_day, currency, content, sha256, line_count,
    sums, differences, compared_by, compared_at
from billing.operator_statements
where log_id = $1 and statement_id = $2
