-- find_pricing_table: a version of a price
-- $1 version.
select
    pricing_table_id, tenant_id, account_tier, operator_id, direction, currency, pricing_model,
    unit_price, billable_statuses, effective_from, effective_to, created_by, created_at, closed_by,
    position, changed_position, request
from billing.pricing_tables
where pricing_table_id = $1
