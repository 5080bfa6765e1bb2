-- check_alive: whether Postgres answers and can be written to
-- No parameters.
select pg_catalog.pg_is_in_recovery()
