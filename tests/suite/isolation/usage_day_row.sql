-- usage_day_row: a day of a tenant's usage
-- $1 position, $2 an id, $3 tenant.
insert into billing.usage_days (
    tenant_id, account_id, day, operator_id, message_count, segment_count, currency,
    customer_price, operator_cost, margin, cost_missing_count, margin_unknown_count, log_id,
    position
)
values ($3, $2, current_date, $2, 1, 1, 'EUR', 1, 1, 0, 0, 0, 1, $1)
