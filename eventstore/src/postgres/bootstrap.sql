-- bootstrap: the roles of CONTRACTS 6 and the schema they meet in
-- Needs a superuser the first time; does nothing when everything is there. Passwords are set by whoever owns the secrets.
do $$
declare
    login text;
    setting text;
    value text;
begin
    if to_regrole('tollbook_owner') is null then
        create role tollbook_owner nologin;
    end if;
    foreach login in array array['dlr_svc', 'billing_svc', 'auditor', 'tollbook_admin'] loop
        if to_regrole(login) is null then
            execute format('create role %I login nosuperuser nobypassrls noinherit', login);
        end if;
    end loop;
    -- A page at night is worse than a failed statement: nothing may hang or hold locks. Roles that
    -- were there before get what they lack; what somebody has chosen for the whole server stays.
    for login, setting, value in
        select l.login, l.setting, l.value
        from (values
            ('dlr_svc', 'statement_timeout', '30s'),
            ('dlr_svc', 'transaction_timeout', '2min'),
            ('billing_svc', 'statement_timeout', '30s'),
            ('billing_svc', 'transaction_timeout', '2min'),
            ('auditor', 'statement_timeout', '15min'),
            ('auditor', 'transaction_timeout', '30min'),
            ('tollbook_admin', 'statement_timeout', '2h'),
            ('tollbook_admin', 'transaction_timeout', '4h'),
            -- What append answers is on disk (L5), whatever the server's default is.
            ('dlr_svc', 'synchronous_commit', 'on'),
            ('billing_svc', 'synchronous_commit', 'on'),
            ('dlr_svc', 'lock_timeout', '10s'),
            ('billing_svc', 'lock_timeout', '10s'),
            ('auditor', 'lock_timeout', '10s'),
            ('tollbook_admin', 'lock_timeout', '10s'),
            ('dlr_svc', 'idle_in_transaction_session_timeout', '60s'),
            ('billing_svc', 'idle_in_transaction_session_timeout', '60s'),
            ('auditor', 'idle_in_transaction_session_timeout', '60s'),
            ('tollbook_admin', 'idle_in_transaction_session_timeout', '60s')
        ) as l (login, setting, value)
        -- A server before 17 knows no transaction_timeout; only a superuser may set them.
        where current_setting(l.setting, true) is not null
            and (select r.rolsuper from pg_roles r where r.rolname = current_user)
            and not exists (
                select from pg_db_role_setting s, unnest(s.setconfig) as chosen
                where s.setdatabase = 0 and s.setrole = l.login::regrole
                    and split_part(chosen, '=', 1) = l.setting
            )
    loop
        execute format('alter role %I set %s = %L', login, setting, value);
    end loop;
    -- Temporary objects come before all others where a search path does not say otherwise.
    if has_database_privilege('public', current_database(), 'temporary') then
        execute format('revoke temporary on database %I from public', current_database());
    end if;
    if not has_database_privilege('tollbook_owner', current_database(), 'create') then
        execute format('grant create on database %I to tollbook_owner', current_database());
    end if;
    if to_regnamespace('eventlog') is null then
        create schema eventlog authorization tollbook_owner;
    end if;
end
$$;
