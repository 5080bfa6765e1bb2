-- account_row: an account of a tenant
-- $1 position, $2 an id, $3 tenant.
insert into billing.accounts (
    log_id, position, tenant_id, account_id, created_at, changed_at, changed_position
)
values (1, $1, $3, $2, now(), now(), $1)
