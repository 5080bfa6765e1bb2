-- clear_statement_matches: takes away what a comparison put into billing.operator_statement_matches
-- $1 upload.
delete from billing.operator_statement_matches where upload = $1
