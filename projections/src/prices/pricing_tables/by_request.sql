-- find_pricing_table_by_request: the first version of a price that a request opened
-- $1 request.
select
    pricing_table_id, tenant_id, account_tier, operator_id, direction, currency, pricing_model,
    unit_price, billable_statuses, effective_from, effective_to, created_by, created_at, closed_by,
    position, changed_position, request
from billing.pricing_tables
where request = $1 order by log_id, position limit 1
