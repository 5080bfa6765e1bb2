-- statement_stage: takes a statement as Postgres itself does
copy statement from stdin (format csv, header)
