-- auditor usage by day
-- Every bucket of a day.
SELECT tenant_id, account_id, operator_id, currency::text, day, message_count, segment_count,
       customer_price::text, operator_cost::text
FROM billing.usage_days
