-- auditor statements
-- Every carrier's statement as the projection shows it.
SELECT position, statement_id, operator_id, first_day::text, last_day::text, currency::text, content,
    sha256, line_count, sums::text, differences::text
FROM billing.operator_statements
WHERE log_id = $1
