-- role
-- Who we are, and what that role could do that no service may be able to do; null if nothing.
select
    current_user::text as role,
    case
        when r.rolsuper then 'is a superuser'
        when r.rolbypassrls then 'may bypass row-level security'
        else (
            select 'owns ' || n.nspname || '.' || c.relname
            from pg_catalog.pg_class c
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where n.nspname in ('eventlog', 'dlr', 'billing', 'orch')
                and c.relkind in ('r', 'p', 'v', 'm')
                and pg_catalog.pg_has_role(r.oid, c.relowner, 'member')
            order by n.nspname, c.relname
            limit 1
        )
    end as power
from pg_catalog.pg_roles r
where r.rolname = current_user
