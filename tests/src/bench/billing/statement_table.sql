-- statement_table: where Postgres alone takes a statement
create temporary table statement (id text, status text, segments integer, cost numeric)
