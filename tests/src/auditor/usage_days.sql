-- auditor usage by day
-- Every bucket of a day.
SELECT tenant_id, account_id, operator_id, currency::text, day, message_count, segment_count,
       customer_price::text, operator_cost::text, margin::text,
       cost_missing_count, margin_unknown_count
FROM billing.usage_days
