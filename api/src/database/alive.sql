-- alive
-- Whether Postgres answers and can be written to.
select pg_catalog.pg_is_in_recovery()
