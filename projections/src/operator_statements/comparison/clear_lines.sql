-- clear_statement_lines: takes away what a comparison put into billing.operator_statement_lines
-- $1 upload.
delete from billing.operator_statement_lines where upload = $1
