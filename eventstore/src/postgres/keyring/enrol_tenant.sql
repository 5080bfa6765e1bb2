-- enrol_tenant: gives a tenant a pseudonym and a data key, unless it has them
-- $1 tenant id, $2 pseudonym, $3 digests under which it must not stand among the erased, $4 wrapped
-- key, $5 version of the master key, $6 its check value.
select eventlog.enrol_tenant($1, $2, $4, $5, $6, $3)
