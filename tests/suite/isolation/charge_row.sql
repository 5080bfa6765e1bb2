-- charge_row: a charge of a tenant
-- $1 position, $2 an id, $3 tenant.
insert into billing.billing_events (
    log_id, position, billing_event_id, message_id, tenant_id, account_id, operator_id,
    pricing_table_id, charged_at, rated_at, created_at, segment_count, own_price, billed,
    cost_missing, clock_skew, late, currency, account_tier, direction, dlr_status,
    customer_price, operator_cost, converted_cost, margin, assessed_position
)
values (1, $1, $2, $2, $3, $2, $2, $2, now(), now(), now(), 1, true, true, true, false, false,
    'EUR', 'GROWTH', 'MT', 'DELIVERED', 1, 0, 0, 1, $1)
