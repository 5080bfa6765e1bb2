-- read_erased_tenants: those of the tenants asked for that were erased, the last time each was
-- $1 digests of their ids, $2 their ids, which may be pseudonyms. The last one counts.
select e.pseudonym, e.digest
from eventlog.erased_tenant e
where e.digest = any ($1) or e.pseudonym = any ($2)
order by e.erased_at
