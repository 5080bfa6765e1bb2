-- receipt_row: a receipt of a tenant
-- $1 position, $2 an id, $3 tenant.
insert into dlr.delivery_receipts (
    log_id, position, receipt_id, message_id, tenant_id, account_id, operator_id,
    operator_message_id, raw_stat, dlr_status, delivered_at, correlated_at
)
values (1, $1, $2, $2, $3, $2, 'operator', 'id', 'DELIVRD', 'DELIVERED', now(), now())
