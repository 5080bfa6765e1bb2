-- clear_statement_uploads: takes away what a comparison put into billing.operator_statement_uploads
-- $1 upload.
delete from billing.operator_statement_uploads where upload = $1
