-- install_guard: what refuses changes of our tables, functions and triggers outside of a change window
-- Installed by a superuser, in a schema of its own that the owner of the tables cannot touch.
do $$
begin
    if to_regnamespace('tollbook_guard') is null then
        create schema tollbook_guard;
        comment on schema tollbook_guard is
            'Refuses changes of eventlog, dlr and billing outside of a change window.';
    end if;
end
$$;

-- When the tables of the log and of projections may be changed. Rows stay: who opened one, and when.
create table if not exists tollbook_guard.change_window (
    window_id bigint generated always as identity primary key,
    member name,
    opened_by name not null default session_user,
    opened_at timestamptz not null default now(),
    ends_at timestamptz not null
);
comment on table tollbook_guard.change_window is 'When our tables may be changed.';
comment on column tollbook_guard.change_window.member is
    'Who was made a member of tollbook_owner for it; null if nobody.';
comment on column tollbook_guard.change_window.opened_by is 'The superuser who opened it.';
comment on column tollbook_guard.change_window.opened_at is 'When.';
comment on column tollbook_guard.change_window.ends_at is 'When it closes by itself or was closed.';

-- How the last migration left it. See as_it_is.
create table if not exists tollbook_guard.recorded (
    thing text primary key,
    state text not null,
    server integer
);
comment on table tollbook_guard.recorded is 'How the last migration left what must not change.';
comment on column tollbook_guard.recorded.thing is 'A table, a trigger, a policy, a function, …';
comment on column tollbook_guard.recorded.state is 'How it was.';
comment on column tollbook_guard.recorded.server is
    'The major version of Postgres that worded it; null where the wording does not depend on it.';

-- Which declaration of rights the last migration settled.
create table if not exists tollbook_guard.declaration (
    fingerprint text not null
);
comment on table tollbook_guard.declaration is 'The declaration of rights that is in force.';
comment on column tollbook_guard.declaration.fingerprint is 'SHA-256 of it.';

-- window_is_open: whether our tables may be changed now
create or replace function tollbook_guard.window_is_open() returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select exists (
        select from tollbook_guard.change_window w where w.ends_at > clock_timestamp()
    )
$$;

-- open_window: lets our tables be changed for some minutes, by p_member too if one is named
-- For superusers alone: nobody else is granted it.
create or replace function tollbook_guard.open_window(
    p_member name default null, p_minutes integer default 60
) returns timestamptz
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    ends timestamptz := clock_timestamp() + make_interval(mins => p_minutes);
begin
    if p_minutes not between 1 and 240 then
        raise exception 'a change window is open for 1 to 240 minutes'
            using errcode = 'invalid_parameter_value';
    end if;
    insert into tollbook_guard.change_window (member, ends_at) values (p_member, ends);
    if p_member is not null then
        execute format('grant tollbook_owner to %I', p_member);
    end if;
    return ends;
end
$$;

-- close_window: ends all change windows; nobody is a member of the owner any more because of one
create or replace function tollbook_guard.close_window() returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    member_name name;
begin
    update tollbook_guard.change_window set ends_at = clock_timestamp()
    where ends_at > clock_timestamp();
    for member_name in
        select distinct w.member
        from tollbook_guard.change_window w
        join pg_roles r on r.rolname = w.member
        join pg_auth_members m on m.member = r.oid and m.roleid = to_regrole('tollbook_owner')
    loop
        execute format('revoke tollbook_owner from %I', member_name);
    end loop;
end
$$;

-- is_guarded: whether a thing of the catalog is in a schema of ours or belongs to its owner
create or replace function tollbook_guard.is_guarded(p_class oid, p_thing oid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    with relation (oid) as (
        select p_thing where p_class = 'pg_class'::regclass
        union all
        select t.tgrelid from pg_trigger t
        where p_class = 'pg_trigger'::regclass and t.oid = p_thing
        union all
        select p.polrelid from pg_policy p
        where p_class = 'pg_policy'::regclass and p.oid = p_thing
        union all
        select r.ev_class from pg_rewrite r
        where p_class = 'pg_rewrite'::regclass and r.oid = p_thing
        union all
        select c.conrelid from pg_constraint c
        where p_class = 'pg_constraint'::regclass and c.oid = p_thing
    ), thing (namespace, owner) as (
        select c.relnamespace, c.relowner from pg_class c join relation r on r.oid = c.oid
        union all
        select p.pronamespace, p.proowner from pg_proc p
        where p_class = 'pg_proc'::regclass and p.oid = p_thing
        union all
        select t.typnamespace, t.typowner from pg_type t
        where p_class = 'pg_type'::regclass and t.oid = p_thing
        union all
        select n.oid, n.nspowner from pg_namespace n
        where p_class = 'pg_namespace'::regclass and n.oid = p_thing
    )
    select exists (
        select from thing t
        where t.owner = to_regrole('tollbook_owner')
            or t.namespace in (
                to_regnamespace('eventlog'), to_regnamespace('dlr'), to_regnamespace('billing')
            )
    )
$$;

-- is_superuser: whether a superuser is logged in
create or replace function tollbook_guard.is_superuser() returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select coalesce((select r.rolsuper from pg_roles r where r.rolname = session_user), false)
$$;

-- refuse: says no
create or replace function tollbook_guard.refuse(p_what text, p_why text) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    raise exception '% refused: %', p_what, p_why using errcode = 'insufficient_privilege',
        hint = 'a superuser opens a change window with select tollbook_guard.open_window()';
end
$$;

-- refuse_change: no command changes our things outside of a window, and in one only a superuser
-- takes away what keeps events from being rewritten
create or replace function tollbook_guard.refuse_change() returns event_trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    is_open boolean := tollbook_guard.window_is_open();
    changed text;
begin
    if tg_tag in (
        'GRANT', 'REVOKE', 'ALTER DEFAULT PRIVILEGES', 'REASSIGN OWNED', 'DROP OWNED'
    ) then
        -- Postgres does not tell on what. What a superuser grants is found by the services.
        if not is_open and not tollbook_guard.is_superuser()
            and pg_has_role(session_user, to_regrole('tollbook_owner'), 'member')
        then
            perform tollbook_guard.refuse(tg_tag, 'no change window is open');
        end if;
        return;
    end if;
    if is_open and tollbook_guard.is_superuser() or tg_tag = 'REINDEX' then
        return;
    end if;
    select c.object_identity into changed
    from pg_event_trigger_ddl_commands() c
    where not c.in_extension and tollbook_guard.is_guarded(c.classid, c.objid)
    limit 1;
    if not found then
        return;
    end if;
    if not is_open then
        perform tollbook_guard.refuse(tg_tag || ' of ' || changed, 'no change window is open');
    end if;
    if exists (
        select from tollbook_guard.recorded r
        left join tollbook_guard.as_it_is() n using (thing)
        where n.state is distinct from r.state and (
            r.thing in ('table eventlog.event', 'function eventlog.refuse_rewriting()')
            or r.thing like 'trigger % on eventlog.event'
        )
    ) or exists (select from pg_rewrite r where r.ev_class = to_regclass('eventlog.event')) then
        perform tollbook_guard.refuse(
            tg_tag || ' of ' || changed, 'it keeps events from being rewritten'
        );
    end if;
end
$$;

-- refuse_drop: nothing of ours goes away outside of a window, and in one only a superuser takes
-- anything away from the events
create or replace function tollbook_guard.refuse_drop() returns event_trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    is_open boolean := tollbook_guard.window_is_open();
    gone text;
begin
    if is_open and tollbook_guard.is_superuser() then
        return;
    end if;
    select d.object_identity into gone
    from pg_event_trigger_dropped_objects() d
    where not d.is_temporary and case
        when is_open then d.address_names[1:2] = array['eventlog', 'event']
            or d.address_names[1:2] = array['eventlog', 'refuse_rewriting']
        else coalesce(d.schema_name, d.address_names[1]) in ('eventlog', 'dlr', 'billing')
    end
    limit 1;
    if found then
        perform tollbook_guard.refuse(tg_tag || ' of ' || gone, case
            when is_open then 'it holds events, or keeps them from being rewritten'
            else 'no change window is open'
        end);
    end if;
end
$$;

-- refuse_rewrite: only a superuser, in a window, has the table of events written anew
create or replace function tollbook_guard.refuse_rewrite() returns event_trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if pg_event_trigger_table_rewrite_oid() = to_regclass('eventlog.event')
        and not (tollbook_guard.window_is_open() and tollbook_guard.is_superuser())
    then
        perform tollbook_guard.refuse(tg_tag || ' of eventlog.event', 'events are not rewritten');
    end if;
end
$$;

-- record: keeps how everything is now, as the state that must not change, and whose rights are in force
create or replace function tollbook_guard.record(p_fingerprint text default null) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not tollbook_guard.window_is_open() and not tollbook_guard.is_superuser() then
        perform tollbook_guard.refuse('recording', 'no change window is open');
    end if;
    delete from tollbook_guard.recorded;
    insert into tollbook_guard.recorded (thing, state, server)
    select n.thing, n.state, n.server from tollbook_guard.as_it_is() n;
    if p_fingerprint is not null then
        delete from tollbook_guard.declaration;
        insert into tollbook_guard.declaration (fingerprint) values (p_fingerprint);
    end if;
end
$$;

revoke all on all functions in schema tollbook_guard from public;
