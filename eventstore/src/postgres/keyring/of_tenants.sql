-- read_keys_of_tenants: pseudonym and data key of the tenants asked for
-- $1 tenant ids.
select t.tenant_id, t.pseudonym, k.key_id, k.wrapped, k.master_key
from eventlog.tenant t
join eventlog.data_key k on k.tenant = t.pseudonym
where t.tenant_id = any($1)
