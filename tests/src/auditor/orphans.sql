-- auditor orphans
-- Every orphan as the projection shows it.
SELECT position, orphan_id, operator_id, operator_message_id, raw_stat, dlr_status, delivered_at,
       received_at
FROM dlr.orphaned_receipts
WHERE log_id = $1
