-- check_defended: what leaves the log open to whoever may call its functions, or to its owner
-- Each such thing, and the statement that mends it. No parameters.
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
    union all
    select
        5, 'event trigger ' || needed || ' does not fire',
        case
            when t.evtname is null then 'tollbook migrate, as a superuser'
            else format('alter event trigger %I enable always', needed)
        end
    from unnest(array['tollbook_guard_change', 'tollbook_guard_drop', 'tollbook_guard_rewrite'])
        as needed
    left join pg_catalog.pg_event_trigger t on t.evtname = needed
    where t.evtenabled is distinct from 'A'
    union all
    select
        6, 'role ' || r.rolname || ' is a member of tollbook_owner',
        format('revoke tollbook_owner from %I', r.rolname)
    from pg_catalog.pg_auth_members m
    join pg_catalog.pg_roles r on r.oid = m.member
    where m.roleid = pg_catalog.to_regrole('tollbook_owner')
        and not tollbook_guard.window_is_open()
    union all
    select
        7, 'tollbook_owner can log in or is more than an owner',
        'alter role tollbook_owner nologin nosuperuser nobypassrls nocreaterole noreplication'
    from pg_catalog.pg_roles r
    where r.rolname = 'tollbook_owner' and (
        r.rolcanlogin or r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolreplication
    )
    union all
    select 8, 'the last migration did not end: nothing is recorded', 'tollbook migrate'
    where not exists (select from tollbook_guard.recorded)
        and not tollbook_guard.window_is_open()
)
select fault, remedy
from open_door
order by number, fault
