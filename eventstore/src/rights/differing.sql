-- differing_rights: what roles of ours may do and is not declared, and the other way about
-- $1 to $4 what is declared: roles, rights, kinds, names; $5 for which schemas, $6 and roles.
-- What is wrong, a statement that mends it, whether the thing is missing; what is too much first.
with declared as (
    select d.role, d.verb, d.kind, d.name
    from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as d (role, verb, kind, name)
    where split_part(d.name, '.', 1) = any ($5::text[])
),
ours as (
    select n.oid, n.nspname, n.nspacl, n.nspowner
    from pg_catalog.pg_namespace n
    where n.nspname = any ($5::text[])
),
thing as (
    select
        'schema' as kind, o.nspname::text as name, null::text as attribute,
        'schema ' || quote_ident(o.nspname) as called, o.nspowner as owner,
        coalesce(o.nspacl, acldefault('n', o.nspowner)) as acl
    from ours o
    union all
    select
        case c.relkind when 'S' then 'sequence' else 'table' end,
        o.nspname || '.' || c.relname, null,
        case c.relkind when 'S' then 'sequence ' else '' end || c.oid::regclass, c.relowner,
        coalesce(
            c.relacl,
            acldefault((case c.relkind when 'S' then 's' else 'r' end)::"char", c.relowner)
        )
    from pg_catalog.pg_class c
    join ours o on o.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all
    select
        'column', o.nspname || '.' || c.relname || '.' || a.attname, quote_ident(a.attname),
        c.oid::regclass::text, c.relowner, a.attacl
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid
    join ours o on o.oid = c.relnamespace
    where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'f')
    union all
    select
        'function', o.nspname || '.' || p.proname, null,
        'function ' || p.oid::regprocedure, p.proowner,
        coalesce(p.proacl, acldefault('f', p.proowner))
    from pg_catalog.pg_proc p
    join ours o on o.oid = p.pronamespace
    where not exists (
        select from pg_catalog.pg_depend d
        where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
    )
),
granted as (
    select
        coalesce(r.rolname::text, 'public') as role, a.privilege_type as verb, t.kind, t.name,
        t.called, t.attribute, bool_or(a.is_grantable) as may_pass_on
    from thing t
    cross join lateral aclexplode(t.acl) a
    left join pg_catalog.pg_roles r on r.oid = a.grantee
    where a.grantee <> t.owner and coalesce(r.rolname::text, 'public') = any ($6::text[])
    group by 1, 2, 3, 4, 5, 6
)
select
    g.role || case when d.role is null then ' may ' else ' may let others ' end
        || g.verb || ' on ' || g.kind || ' ' || g.name || ', which is not declared' as fault,
    format(
        'revoke %s%s%s on %s from %s cascade',
        case when d.role is null then '' else 'grant option for ' end,
        g.verb, ' (' || g.attribute || ')', g.called,
        case g.role when 'public' then g.role else quote_ident(g.role) end
    ) as remedy,
    false as missing
from granted g
left join declared d on (d.role, d.verb, d.kind, d.name) = (g.role, g.verb, g.kind, g.name)
where d.role is null or g.may_pass_on
union all
select
    d.role || ' may not ' || d.verb || ' on ' || d.kind || ' ' || d.name || ', as is declared',
    format(
        'grant %s%s on %s to %I', d.verb, ' (' || t.attribute || ')',
        coalesce(t.called, d.name), d.role
    ),
    t.name is null
from declared d
left join thing t on t.kind = d.kind and t.name = d.name
left join granted g on (g.role, g.verb, g.kind, g.name) = (d.role, d.verb, d.kind, d.name)
where g.role is null
order by remedy desc, fault
