-- pending_erasures: the tenants that are to be erased and are not, as far as this table knows
-- $1 log. With the tenant, unless it is forgotten already.
select e.pseudonym, coalesce(t.tenant_id, d.tenant_id)
from billing.erasures e
left join eventlog.tenant t on t.pseudonym = e.pseudonym
left join eventlog.erased_tenant d on d.pseudonym = e.pseudonym
where e.log_id = $1 and e.erased_at is null
order by e.position
