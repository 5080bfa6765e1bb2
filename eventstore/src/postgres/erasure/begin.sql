-- begin_erasure: destroys a tenant's data key and its mapping
-- $1 pseudonym, $2 tenant id, $3 digest that stays, $4 version of the master key it takes.
select eventlog.begin_erasure($1, $2, $3, $4)
