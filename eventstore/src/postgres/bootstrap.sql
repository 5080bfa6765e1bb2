-- bootstrap: the roles of CONTRACTS 6 and the schema they meet in
-- Needs a superuser the first time; does nothing when everything is there. Passwords are set by whoever owns the secrets.
do $$
declare
    login text;
begin
    if to_regrole('tollbook_owner') is null then
        create role tollbook_owner nologin;
    end if;
    foreach login in array array['dlr_svc', 'billing_svc', 'auditor', 'tollbook_admin'] loop
        if to_regrole(login) is null then
            execute format('create role %I login nosuperuser nobypassrls noinherit', login);
            -- A page at night is worse than a failed statement: nothing may hang or hold locks.
            execute format('alter role %I set idle_in_transaction_session_timeout = ''60s''', login);
            execute format('alter role %I set lock_timeout = ''10s''', login);
            if login in ('dlr_svc', 'billing_svc') then
                execute format('alter role %I set statement_timeout = ''30s''', login);
                -- What append answers is on disk (L5), whatever the server's default is.
                execute format('alter role %I set synchronous_commit = on', login);
            end if;
        end if;
    end loop;
    -- It has the owner's rights only after saying so (set role): no statement of a job is the
    -- owner's by accident.
    if pg_has_role('tollbook_admin', 'tollbook_owner', 'usage') then
        alter role tollbook_admin noinherit;
        revoke tollbook_owner from tollbook_admin;
    end if;
    if not pg_has_role('tollbook_admin', 'tollbook_owner', 'member') then
        grant tollbook_owner to tollbook_admin;
    end if;
    -- Temporary objects come before all others where a search path does not say otherwise.
    if has_database_privilege('public', current_database(), 'temporary') then
        execute format('revoke temporary on database %I from public', current_database());
    end if;
    if not has_database_privilege('tollbook_owner', current_database(), 'create') then
        execute format('grant create on database %I to tollbook_owner', current_database());
    end if;
    if to_regnamespace('eventlog') is null then
        create schema eventlog authorization tollbook_owner;
        grant usage on schema eventlog to dlr_svc, billing_svc, auditor, tollbook_admin;
    end if;
end
$$;
