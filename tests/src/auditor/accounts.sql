-- auditor accounts
-- Every registered account as the projection shows it.
SELECT tenant_id, account_id, created_at, changed_at
FROM billing.accounts
WHERE log_id = $1
