-- functions: those that run with their owner's rights
-- Name, whether the search path is fixed, whether everyone may call it.
select
    p.proname::text,
    coalesce(array_to_string(p.proconfig, ',') like '%search_path=%', false),
    exists (
        select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        where a.grantee = 0 and a.privilege_type = 'EXECUTE'
    )
from pg_proc p
where p.prosecdef and p.pronamespace in ('eventlog'::regnamespace, 'dlr'::regnamespace)
