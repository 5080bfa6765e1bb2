-- relations: every column of every table and view in our schemas and the orchestrator's
-- Schema, table, whether it is a view, column, whether Postgres makes its values itself.
select
    n.nspname::text, c.relname::text, c.relkind in ('v', 'm'), a.attname::text,
    a.attgenerated <> ''
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where n.nspname in ('eventlog', 'dlr', 'billing', 'orch', 'tollbook_guard')
    and c.relkind in ('r', 'p', 'v', 'm', 'f')
order by 1, 2, a.attnum
