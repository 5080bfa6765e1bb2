-- insert_delivery_receipts: adds a row per accepted receipt, with its tenant
-- An erased tenant stays the pseudonym it is in the log. $1 log; per receipt: $2 position,
-- $3 receipt, $4 message, $5 tenant's pseudonym, $6 account, $7 operator, $8 the operator's id of
-- the message, $9 word, $10 status, $11 error code, $12 when delivered, $13 and $14 addresses of
-- sender and recipient, sealed, $15 when recorded.
insert into dlr.delivery_receipts (
    log_id, position, receipt_id, message_id, tenant_id, account_id, operator_id,
    operator_message_id, raw_stat, dlr_status, error_code, delivered_at, source_addr, dest_addr,
    correlated_at
)
select $1, f.position, f.receipt_id, f.message_id, coalesce(t.tenant_id, f.tenant), f.account_id,
    f.operator_id::text, f.operator_message_id, f.raw_stat, f.dlr_status, f.error_code,
    f.delivered_at, f.source_addr, f.dest_addr, f.recorded_at
from unnest(
    $2::bigint[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::text[],
    $9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::text[], $14::text[],
    $15::timestamptz[]
) as f (
    position, receipt_id, message_id, tenant, account_id, operator_id, operator_message_id,
    raw_stat, dlr_status, error_code, delivered_at, source_addr, dest_addr, recorded_at
)
left join eventlog.tenant t on t.pseudonym = f.tenant
on conflict (log_id, position) do nothing
