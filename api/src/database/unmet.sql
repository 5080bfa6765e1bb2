-- check_needs: the first need that is not met, and whether the thing is missing altogether
-- $1 kinds, $2 names, $3 rights.
with need as (
    select
        number, kind, name, need_right,
        split_part(name, '.', 2) as thing,
        split_part(name, '.', 3) as attribute,
        n.oid as namespace
    from unnest($1::text[], $2::text[], $3::text[])
        with ordinality as given (kind, name, need_right, number)
    left join pg_catalog.pg_namespace n on n.nspname = split_part(name, '.', 1)
),
found as (
    select
        need.*,
        case kind
            when 'function' then (
                select p.oid
                from pg_catalog.pg_proc p
                where p.pronamespace = namespace and p.proname = thing
                limit 1
            )
            when 'schema' then namespace
            when 'table' then c.oid
            else (
                select a.attrelid
                from pg_catalog.pg_attribute a
                where a.attrelid = c.oid and a.attname = attribute and not a.attisdropped
            )
        end as found
    from need
    left join pg_catalog.pg_class c on c.relnamespace = namespace and c.relname = thing
),
judged as (
    select
        number, kind, name, need_right,
        found is null as missing,
        found is not null
            and pg_catalog.has_schema_privilege(namespace, 'USAGE')
            and case kind
                when 'schema' then true
                when 'function' then pg_catalog.has_function_privilege(found, need_right)
                when 'table' then pg_catalog.has_table_privilege(found, need_right)
                else pg_catalog.has_column_privilege(found, attribute, need_right)
            end as granted
    from found
)
select kind, name, need_right, missing
from judged
where not granted
order by number
limit 1
