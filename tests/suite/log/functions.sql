-- functions: those of the log, which run with their owner's rights or are called by such
-- Name, whether types too are sought in pg_catalog first, whether everyone may call it.
select
    p.proname::text,
    coalesce('search_path=pg_catalog, pg_temp' = any (p.proconfig), false),
    exists (
        select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        where a.grantee = 0 and a.privilege_type = 'EXECUTE'
    )
from pg_proc p
where p.pronamespace = 'eventlog'::regnamespace
    or p.prosecdef and p.pronamespace in ('dlr'::regnamespace, 'billing'::regnamespace)
