-- auditor held
-- Every charge that waits or waited, as the projection shows it.
SELECT position, message_id, tenant_id, account_id, operator_id, account_tier, currency::text,
       direction, dlr_status, reason, segment_count, charged_at, rated_at, held_at, resolved_at
FROM billing.held_charges
WHERE log_id = $1
