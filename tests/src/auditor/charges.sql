-- auditor charges
-- Every charge as the projection shows it.
SELECT position, billing_event_id, message_id, tenant_id, account_id, operator_id,
       pricing_table_id, operator_cost_id, charged_at, rated_at, created_at, segment_count,
       own_price, billed, cost_missing, clock_skew, late,
       currency::text, account_tier, direction, dlr_status,
       customer_price::text, operator_cost::text, converted_cost::text, margin::text,
       cost_currency::text, exchange_rate_id, assessed_position
FROM billing.billing_events
WHERE log_id = $1
