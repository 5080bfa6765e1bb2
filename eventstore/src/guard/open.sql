-- open_window: lets our tables be changed for an hour
-- No parameters; for superusers.
select tollbook_guard.open_window()
