-- auditor adjustments
-- Every adjustment as the projection shows it.
SELECT position, adjustment_id, tenant_id, account_id, amount::text, currency::text, status,
    message_id, proposed_by, proposed_at, decided_by, decided_at, changed_position
FROM billing.adjustments
WHERE log_id = $1
