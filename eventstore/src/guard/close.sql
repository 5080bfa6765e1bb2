-- close_window: ends every change window, and every membership that was for one
-- No parameters.
select tollbook_guard.close_window()
