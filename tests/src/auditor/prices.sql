-- auditor prices
-- Every version of a price as the projection shows it; its statuses in one word, in order.
SELECT pricing_table_id, tenant_id, operator_id, account_tier, direction, currency::text,
       pricing_model,
       array_to_string(ARRAY(SELECT unnest(billable_statuses) COLLATE "C" ORDER BY 1), ','),
       unit_price::text, effective_from, effective_to, created_by, created_at
FROM billing.pricing_tables
WHERE log_id = $1
