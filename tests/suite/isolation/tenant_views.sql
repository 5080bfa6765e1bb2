-- tenant_views: our views that do not run with the asker's rights
select n.nspname || '.' || c.relname
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspowner = 'tollbook_owner'::regrole and c.relkind = 'v'
    and not coalesce('security_invoker=true' = any(c.reloptions), false)
