-- auditor events
-- The whole log in order. Who caused an event is read where a table shows it.
SELECT position, category, stream_id, version, event_id, type, tenant, account, recorded_at,
       payload::text,
       CASE WHEN category IN ('account', 'price', 'sheet', 'audit', 'adjustment')
            THEN principal END
FROM eventlog.event
WHERE log_id = $1
ORDER BY position
