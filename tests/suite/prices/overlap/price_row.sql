-- price_row: a version of a price
-- $1 version, $2 operator and, of a tenant's own price, tenant, $3 beginning, $4 end, in seconds.
insert into billing.pricing_tables (
    log_id, position, pricing_table_id, tenant_id, account_tier, operator_id, direction,
    currency, pricing_model, unit_price, billable_statuses, effective_from, effective_to,
    created_by, created_at, changed_position, request
)
select 1, 1 + count(*), $1, ($2::uuid[])[2], 'GROWTH', ($2::uuid[])[1], 'MT', 'EUR',
    'PER_SEGMENT', 0.045, '{DELIVERED}', to_timestamp($3::bigint), to_timestamp($4::bigint),
    'somebody', now(), 1, $1
from billing.pricing_tables
