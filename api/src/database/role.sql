-- check_role: who we are, and what that role could do that no service may be able to do
-- Null if nothing. $1 the role made for the service: its own policies are for us, those of other roles are not.
select
    current_user::text as role,
    case
        when r.rolsuper then 'is a superuser'
        when r.rolbypassrls then 'may bypass row-level security'
        when r.rolcreaterole then 'may create roles'
        else coalesce((
            select 'owns ' || n.nspname || '.' || c.relname
            from pg_catalog.pg_class c
            join pg_catalog.pg_namespace n on n.oid = c.relnamespace
            where n.nspname in ('eventlog', 'dlr', 'billing', 'orch')
                and c.relkind in ('r', 'p', 'v', 'm')
                and pg_catalog.pg_has_role(r.oid, c.relowner, 'member')
            order by n.nspname, c.relname
            limit 1
        ), (
            select 'is a member of ' || m.rolname
            from pg_catalog.pg_roles m
            where m.oid <> r.oid and m.rolname <> $1::text
                and pg_catalog.pg_has_role(r.oid, m.oid, 'member')
                and (m.rolsuper or m.rolbypassrls or m.rolcreaterole or m.oid in (
                    select unnest(p.polroles)
                    from pg_catalog.pg_policy p
                    join pg_catalog.pg_class c on c.oid = p.polrelid
                    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                    where n.nspname in ('eventlog', 'dlr', 'billing', 'orch')
                ))
            order by m.rolname
            limit 1
        ))
    end as power
from pg_catalog.pg_roles r
where r.rolname = current_user
