-- auditor resolutions
-- Every orphan that found its message, as the projection shows it.
SELECT position, orphan_id, resolved_receipt_id, message_id
FROM dlr.orphan_resolutions
WHERE log_id = $1
