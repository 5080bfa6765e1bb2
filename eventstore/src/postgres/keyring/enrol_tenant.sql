-- enrol_tenant: gives a tenant a pseudonym and a data key, unless it has them
-- $1 tenant id, $2 pseudonym, $3 wrapped key, $4 version of the master key, $5 its check value.
select eventlog.enrol_tenant($1, $2, $3, $4, $5)
