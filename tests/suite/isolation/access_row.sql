-- access_row: somebody looked at data of a tenant
-- $1 position, $2 an id, $3 tenant.
insert into billing.access_log (
    log_id, position, tenant_id, account_id, more_account_ids, caller_tenant_id, principal,
    endpoint, calls, request_id, occurred_at, last_at, created_at
)
values (
    1, $1, $3, $2, '{}', $2, 'token', 'GET /v1/billing/usage', 1, $2, now(), now(), now()
)
