-- functions: every function of ours, and a call of each that gets as far as its rights
-- Schema, name, call. Functions that came with an extension are left out.
select
    n.nspname::text, p.proname::text,
    format(
        'select %s(%s)', p.oid::regproc,
        (
            select string_agg('null::' || format_type(t.type, null), ', ' order by t.n)
            from unnest(p.proargtypes::oid[]) with ordinality as t (type, n)
        )
    )
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
where n.nspname in ('eventlog', 'dlr', 'billing', 'orch', 'tollbook_guard') and not exists (
    select from pg_depend d
    where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
)
order by 1, 2
