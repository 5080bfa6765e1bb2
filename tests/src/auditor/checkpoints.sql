-- auditor checkpoints
-- How far each projection has applied the log.
SELECT projection, position FROM eventlog.checkpoint WHERE log_id = $1
