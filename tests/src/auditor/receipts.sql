-- auditor receipts
-- Every recorded receipt as the projection shows it.
SELECT position, receipt_id, message_id, tenant_id, account_id, operator_id, operator_message_id,
       raw_stat, dlr_status, error_code, delivered_at, correlated_at
FROM dlr.delivery_receipts
WHERE log_id = $1
