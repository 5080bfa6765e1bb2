-- read_pseudonyms: the tenants behind these pseudonyms
-- $1 pseudonyms. Who was erased is not among them.
select pseudonym, tenant_id from eventlog.tenant where pseudonym = any($1)
