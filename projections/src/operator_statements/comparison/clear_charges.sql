-- clear_statement_charges: takes away what a comparison put into billing.operator_statement_charges
-- $1 upload.
delete from billing.operator_statement_charges where upload = $1
