-- begin_statement_upload: notes that a statement is being compared
-- So that what is left of it can be found if this process dies. $1 upload.
insert into billing.operator_statement_uploads (upload) values ($1)
