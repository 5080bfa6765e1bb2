-- What each of our roles may do in the schema eventlog. Nothing else: what is not said here,
-- `tollbook migrate` takes away again. How to read and change it: docs/ROLES.md.

grant usage on schema eventlog to dlr_svc, billing_svc, auditor, tollbook_admin;

-- The log. Events are added by eventlog.append alone; which, the policies on the table say.
-- What is sealed in them is read by the auditor too, who has no key to it: the content hash of an
-- event covers it (ADR 0036).
grant select on eventlog.log, eventlog.head, eventlog.event, eventlog.read_permission
    to dlr_svc, billing_svc, auditor, tollbook_admin;
grant select on eventlog.append_permission to auditor, tollbook_admin;
grant execute on function eventlog.append to dlr_svc, billing_svc, tollbook_admin;
grant execute on function eventlog.end_of_log, eventlog.recorded_at
    to dlr_svc, billing_svc, auditor, tollbook_admin;

-- How far projections are.
grant select on eventlog.projection, eventlog.progress, eventlog.checkpoint
    to dlr_svc, billing_svc, auditor, tollbook_admin;
grant execute on function eventlog.progress_of to dlr_svc, billing_svc, auditor, tollbook_admin;
grant execute on function eventlog.take_checkpoint, eventlog.advance_checkpoint
    to dlr_svc, billing_svc;

-- Tenants and keys. The auditor has no keys.
grant select on eventlog.tenant, eventlog.master_key, eventlog.destroyed_key
    to dlr_svc, billing_svc, auditor, tollbook_admin;
grant select on eventlog.data_key to dlr_svc, billing_svc, tollbook_admin;
grant execute on function eventlog.enrol_tenant to dlr_svc, billing_svc;
grant execute on function eventlog.enrol_day to dlr_svc;
-- Who was erased; whom that row still names is for the job alone.
grant select (pseudonym, digest, master_key, erased_at, renamed) on eventlog.erased_tenant
    to dlr_svc, billing_svc, auditor;

-- Jobs: erasing, destroying and re-wrapping keys.
grant select, insert, update on eventlog.erased_tenant to tollbook_admin;
grant execute on function eventlog.hold_projections, eventlog.tenant_columns,
    eventlog.begin_erasure, eventlog.rename_erased, eventlog.find_tenant to tollbook_admin;
grant delete on eventlog.tenant, eventlog.data_key, eventlog.master_key to tollbook_admin;
grant update (wrapped, master_key) on eventlog.data_key to tollbook_admin;
grant execute on function eventlog.begin_master_key, eventlog.rewrap_keys to tollbook_admin;
