-- auditor events
-- The whole log in order.
SELECT position, category, stream_id, version, event_id, type, tenant, account, recorded_at,
       payload::text
FROM eventlog.event
WHERE log_id = $1
ORDER BY position
