-- check_durable: a setting with which a commit that was answered can still be lost
-- The first one, as this role has it. No parameters.
select name, setting
from pg_catalog.pg_settings
where
    (name in ('fsync', 'full_page_writes') and setting <> 'on')
    or (name = 'synchronous_commit' and setting in ('off', 'local'))
order by name
limit 1
