-- auditor usage by hour
-- Every bucket of an hour; the hour is counted from 1970.
SELECT tenant_id, account_id, operator_id, currency::text,
       (extract(epoch FROM hour) / 3600)::bigint, message_count, segment_count,
       customer_price::text, operator_cost::text, margin::text,
       cost_missing_count, margin_unknown_count
FROM billing.usage_summaries
