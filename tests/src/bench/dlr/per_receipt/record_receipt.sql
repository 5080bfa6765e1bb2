-- record_receipt: writes a receipt down, unless somebody was faster
insert into bench.receipt (
    message_id, tenant_id, account_id, operator_id, operator_message_id,
    dlr_status, raw_stat, error_code, delivered_at, received_at
) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict do nothing
