-- auditor accesses
-- Every access as the projection shows it.
SELECT position, tenant_id, account_id, more_account_ids, caller_tenant_id, principal, endpoint,
    refused_with, calls, request_id, created_at
FROM billing.access_log
WHERE log_id = $1
