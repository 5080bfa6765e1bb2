-- tenant_tables: our tables with a column tenant_id, in whichever schema of ours
-- Name, whether row-level security is on, whether also for the owner, and how many policies.
select
    n.nspname || '.' || c.relname, c.relrowsecurity, c.relforcerowsecurity,
    (select count(*) from pg_policy p where p.polrelid = c.oid)
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspowner = 'tollbook_owner'::regrole and c.relkind in ('r', 'p', 'm', 'f')
    and exists (
        select from pg_attribute a
        where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
    )
order by 1
