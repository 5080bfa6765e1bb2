-- auditor head
-- How far the log goes.
SELECT position, nullif(recorded_at, '-infinity') FROM eventlog.head WHERE log_id = $1
