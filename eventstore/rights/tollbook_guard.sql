-- What each of our roles may do in the schema tollbook_guard, which belongs to a superuser. Nothing
-- else: what is not said here, `tollbook migrate` takes away again when a superuser runs it.

grant usage on schema tollbook_guard to dlr_svc, billing_svc, auditor, tollbook_admin;
grant select on tollbook_guard.recorded, tollbook_guard.declaration, tollbook_guard.change_window
    to dlr_svc, billing_svc, auditor, tollbook_admin;
grant execute on function tollbook_guard.window_is_open, tollbook_guard.as_it_is
    to dlr_svc, billing_svc, auditor, tollbook_admin;

-- Ending a window is for whoever migrates in it; opening one is for superusers.
grant execute on function tollbook_guard.close_window, tollbook_guard.record to tollbook_admin;
