-- check_defended: what leaves the log open to whoever may call its functions
-- The first such thing, and the statement that mends it. No parameters.
with open_door (number, fault, remedy) as (
    select
        1, 'temporary objects may be made in it',
        format('revoke temporary on database %I from public, %I', current_database(), current_user)
    where pg_catalog.has_database_privilege(current_database(), 'TEMPORARY')
    union all
    select
        2, 'function ' || p.oid::regprocedure || ' looks elsewhere before pg_catalog',
        format('alter function %s set search_path = pg_catalog, pg_temp', p.oid::regprocedure)
    from pg_catalog.pg_proc p
    where p.pronamespace = 'eventlog'::regnamespace
        and not 'search_path=pg_catalog, pg_temp' = any (coalesce(p.proconfig, '{}'))
    union all
    select
        3, 'trigger ' || needed || ' on eventlog.event can be put to sleep',
        format('alter table eventlog.event enable always trigger %I', needed)
    from unnest(array['refuse_update_and_delete', 'refuse_truncate']) as needed
    where not exists (
        select from pg_catalog.pg_trigger t
        where t.tgrelid = 'eventlog.event'::regclass and t.tgname = needed and t.tgenabled = 'A'
    )
    union all
    select
        4, 'eventlog.event does not force row-level security',
        'alter table eventlog.event enable row level security, force row level security'
    from pg_catalog.pg_class c
    where c.oid = 'eventlog.event'::regclass and not (c.relrowsecurity and c.relforcerowsecurity)
)
select fault, remedy
from open_door
order by number, fault
limit 1
