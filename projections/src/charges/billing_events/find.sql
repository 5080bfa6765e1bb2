-- find_charge: the charge of a message
-- $1 log, $2 message, $3 its tenant and $4 its account; a null stands for any.
select
    position, rated_at, message_id, tenant_id, account_id, operator_id, direction, segment_count,
    dlr_status, charged_at, created_at, account_tier, billed, customer_price, currency,
    pricing_table_id, own_price, clock_skew, late, operator_cost_id, operator_cost, cost_currency,
    exchange_rate_id, converted_cost, margin, assessed_position
from billing.billing_events
where log_id = $1 and message_id = $2
    and ($3::uuid is null or tenant_id = $3)
    and ($4::uuid is null or account_id = $4)
