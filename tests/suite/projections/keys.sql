-- keys: every key of a projection's table that lets nothing in twice, and whether the log is part of it
select
    i.indexrelid::regclass::text,
    exists (
        select from pg_attribute a
        where a.attrelid = i.indrelid and a.attname = 'log_id' and a.attnum = any (i.indkey)
    )
from pg_index i
join pg_class c on c.oid = i.indrelid
where c.relnamespace in ('dlr'::regnamespace, 'billing'::regnamespace)
    and c.relname <> 'migration'
    and (i.indisunique or i.indisexclusion)
order by 1
