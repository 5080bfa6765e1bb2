-- install_guard_state: how everything is that must not change outside of a change window
-- A line per thing. Names are written out whatever the caller's search path is.
create or replace function tollbook_guard.contents(p_table text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    told text;
begin
    if to_regclass(p_table) is not null then
        execute format(
            'select md5(string_agg(t::text, ''|'' order by t::text)) from %s t', to_regclass(p_table)
        ) into told;
    end if;
    return told;
end
$$;

create or replace function tollbook_guard.as_it_is(
    out thing text, out state text, out server integer
) returns setof record
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    with version (major) as (
        select current_setting('server_version_num')::integer / 10000
    ), ours as (
        select n.oid, n.nspname, n.nspowner from pg_namespace n
        where n.nspname in ('eventlog', 'dlr', 'billing', 'tollbook_guard')
    ), relation as (
        select c.*, n.nspname || '.' || c.relname as name
        from pg_class c join ours n on n.oid = c.relnamespace
        where c.relkind in ('r', 'p', 'v', 'm', 'f')
    )
    select 'schema ' || n.nspname, 'owned by ' || n.nspowner::regrole, null::integer
    from ours n where n.nspname <> 'tollbook_guard'
    union all
    select
        'table ' || r.name,
        'owned by ' || case when s.rolsuper then 'a superuser' else s.rolname end
            || case when r.relrowsecurity then ', row-level security' else '' end
            || case when r.relforcerowsecurity then ', forced' else '' end
            || coalesce(', ' || array_to_string(r.reloptions, ' '), ''),
        null
    from relation r join pg_roles s on s.oid = r.relowner
    union all
    select 'view ' || r.name, md5(pg_get_viewdef(r.oid)), v.major
    from relation r, version v where r.relkind in ('v', 'm')
    union all
    select
        'trigger ' || t.tgname || ' on ' || r.name,
        case t.tgenabled when 'A' then 'always: ' when 'D' then 'disabled: ' else 'sleeps: ' end
            || pg_get_triggerdef(t.oid),
        v.major
    from pg_trigger t join relation r on r.oid = t.tgrelid, version v
    where not t.tgisinternal
    union all
    select
        'policy ' || p.polname || ' on ' || r.name,
        case when p.polpermissive then 'permissive ' else 'restrictive ' end || p.polcmd::text
            || ' to ' || (
                select string_agg(case when u.oid = 0 then 'public' else u.oid::regrole::text end,
                    ', ' order by u.oid = 0, u.oid::regrole::text)
                from unnest(p.polroles) as u (oid)
            ) || ' using ' || coalesce(pg_get_expr(p.polqual, p.polrelid), 'nothing')
            || ' with check ' || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), 'nothing'),
        v.major
    from pg_policy p join relation r on r.oid = p.polrelid, version v
    union all
    select 'rule ' || w.rulename || ' on ' || r.name, md5(pg_get_ruledef(w.oid)), v.major
    from pg_rewrite w join relation r on r.oid = w.ev_class, version v
    where w.rulename <> '_RETURN'
    union all
    select
        'function ' || n.nspname || '.' || p.proname
            || '(' || pg_get_function_identity_arguments(p.oid) || ')',
        'owned by ' || case when s.rolsuper then 'a superuser' else s.rolname end
            || case when p.prosecdef then ', as its owner' else ', as its caller' end
            || ', ' || coalesce(array_to_string(p.proconfig, ' '), 'no settings')
            || ', ' || l.lanname || ', body ' || md5(coalesce(p.prosrc, '')),
        null
    from pg_proc p
    join ours n on n.oid = p.pronamespace
    join pg_roles s on s.oid = p.proowner
    join pg_language l on l.oid = p.prolang
    where not exists (
        select from pg_depend d
        where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
    )
    union all
    select
        'event trigger ' || e.evtname,
        case e.evtenabled when 'A' then 'always' when 'D' then 'disabled' else 'sleeps' end
            || ' on ' || e.evtevent || ', owned by '
            || case when s.rolsuper then 'a superuser' else s.rolname end
            || ', calls ' || coalesce(p.pronamespace::regnamespace || '.' || p.proname, 'nothing')
            || coalesce(', only ' || array_to_string(e.evttags, ' '), ''),
        null
    from pg_event_trigger e
    join pg_roles s on s.oid = e.evtowner
    left join pg_proc p on p.oid = e.evtfoid
    where e.evtname like 'tollbook\_guard\_%'
    union all
    select
        'role ' || r.rolname,
        concat_ws(
            ', ',
            case when r.rolsuper then 'superuser' end,
            case when r.rolbypassrls then 'bypasses row-level security' end,
            case when r.rolcreaterole then 'creates roles' end,
            case when r.rolcreatedb then 'creates databases' end,
            case when r.rolreplication then 'replicates' end,
            case when r.rolcanlogin then 'login' else 'no login' end,
            -- Of the owner for a change window, which is looked at by itself.
            (
                select 'member of ' || string_agg(g.rolname, ' ' order by g.rolname)
                from pg_auth_members m join pg_roles g on g.oid = m.roleid
                where m.member = r.oid and g.rolname <> 'tollbook_owner'
            )
        ),
        null
    from pg_roles r
    where r.rolname in ('tollbook_owner', 'dlr_svc', 'billing_svc', 'auditor', 'tollbook_admin')
    union all
    select
        'default privileges in ' || coalesce(n.nspname, 'every schema'),
        string_agg(d.defaclrole::regrole || ' ' || d.defaclobjtype::text || ' ' || d.defaclacl::text, '; '
            order by d.defaclrole::regrole::text, d.defaclobjtype),
        null
    from pg_default_acl d
    left join ours n on n.oid = d.defaclnamespace
    where n.oid is not null
        or d.defaclnamespace = 0 and d.defaclrole = to_regrole('tollbook_owner')
    group by n.nspname
    union all
    select 'rows of ' || t.name, tollbook_guard.contents(t.name), null
    from (values
        ('eventlog.log'), ('eventlog.read_permission'), ('eventlog.append_permission'),
        ('eventlog.projection')
    ) as t (name)
    where to_regclass(t.name) is not null
$$;
revoke all on function tollbook_guard.contents, tollbook_guard.as_it_is from public;

do $$
declare
    wanted record;
begin
    for wanted in
        select w.name, w.event, w.calls
        from (values
            ('tollbook_guard_change', 'ddl_command_end', 'refuse_change'),
            ('tollbook_guard_drop', 'sql_drop', 'refuse_drop'),
            ('tollbook_guard_rewrite', 'table_rewrite', 'refuse_rewrite')
        ) as w (name, event, calls)
        where not exists (select from pg_event_trigger e where e.evtname = w.name)
    loop
        execute format(
            'create event trigger %I on %s execute function tollbook_guard.%I()',
            wanted.name, wanted.event, wanted.calls
        );
        execute format('alter event trigger %I enable always', wanted.name);
    end loop;
end
$$;
