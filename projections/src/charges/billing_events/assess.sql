-- assess_billing_events: shows what charges cost by a later assessment
-- Only forward in the log: what a later one says stays. $1 log; per charge: $2 its position,
-- $3 position of the assessment, $4 version of the cost, $5 cost, $6 its currency, $7 version of the
-- exchange rate, $8 cost in the charge's currency, $9 margin.
update billing.billing_events b
set operator_cost_id = f.cost_id, cost_missing = f.cost_id is null,
    operator_cost = f.operator_cost, cost_currency = f.cost_currency,
    exchange_rate_id = f.exchange_rate_id, converted_cost = f.converted_cost, margin = f.margin,
    assessed_position = f.position
from unnest(
    $2::bigint[], $3::bigint[], $4::uuid[], $5::numeric[], $6::text[], $7::uuid[], $8::numeric[],
    $9::numeric[]
) as f (
    charge, position, cost_id, operator_cost, cost_currency, exchange_rate_id, converted_cost,
    margin
)
where b.log_id = $1 and b.position = f.charge and b.assessed_position < f.position
