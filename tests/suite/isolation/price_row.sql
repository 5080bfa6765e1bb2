-- price_row: a price of a tenant's own
-- $1 position, $2 an id, $3 tenant.
insert into billing.pricing_tables (
    log_id, position, pricing_table_id, tenant_id, account_tier, operator_id, direction,
    currency, pricing_model, unit_price, billable_statuses, effective_from, created_by,
    created_at, changed_position, request
)
values (1, $1, $2, $3, 'GROWTH', $2, 'MT', 'EUR', 'PER_SEGMENT', 1, '{DELIVERED}', now(),
    'somebody', now(), $1, $2)
