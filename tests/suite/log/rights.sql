-- rights: what a role was granted in our schemas, to itself or to everyone, one text each
-- $1 role. Also what it has because it owns; sequences, types and the functions that come with an
-- extension are left out, they hold nothing.
with thing as (
    select n.nspname || '.' || c.relname as name, c.relacl as acl
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('eventlog', 'dlr', 'billing', 'orch') and c.relkind in ('r', 'p', 'v', 'm')
    union all
    select n.nspname || '.' || c.relname || '.' || a.attname, a.attacl
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('eventlog', 'dlr', 'billing', 'orch') and a.attnum > 0
    union all
    select n.nspname || '.' || p.proname, coalesce(p.proacl, acldefault('f', p.proowner))
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('eventlog', 'dlr', 'billing', 'orch')
        and p.prorettype <> 'trigger'::regtype
        and not exists (
            select from pg_depend d
            where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
        )
)
select distinct granted.privilege_type || ' ' || thing.name
from thing, aclexplode(thing.acl) as granted
where granted.grantee in (0, $1::text::regrole)
