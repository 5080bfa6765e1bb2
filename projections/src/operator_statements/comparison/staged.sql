-- count_staged_statement_lines: how many lines and messages a comparison is about
-- Fewer lines than were staged are there only if Postgres was restarted meanwhile. $1 upload.
select
    (select count(*) from billing.operator_statement_lines where upload = $1) as lines,
    (select count(*) from billing.operator_statement_charges where upload = $1) as charges
