-- insert_cost_assessments: adds a row per charge that was assessed again
-- An erased tenant stays the pseudonym it is in the log. $1 log; per charge: $2 position, $3 of the
-- charge, $4 message, $5 tenant's pseudonym, $6 account, $7 position of the cause, $8 version of the
-- cost, $9 due, $10 cost, $11 its currency, $12 version of the exchange rate, $13 rate, $14 cost in
-- the charge's currency, $15 margin, $16 currency of the charge, $17 when recorded.
insert into billing.cost_assessments (
    log_id, position, charge_position, message_id, tenant_id, account_id, cause, operator_cost_id,
    due, operator_cost, cost_currency, exchange_rate_id, exchange_rate, converted_cost, margin,
    currency, created_at
)
select $1, f.position, f.charge, f.message_id, coalesce(t.tenant_id, f.tenant), f.account_id,
    f.cause, f.cost_id, f.due, f.operator_cost, f.cost_currency, f.exchange_rate_id,
    f.exchange_rate, f.converted_cost, f.margin, f.currency, f.recorded_at
from unnest(
    $2::bigint[], $3::bigint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::bigint[], $8::uuid[],
    $9::boolean[], $10::numeric[], $11::text[], $12::uuid[], $13::numeric[], $14::numeric[],
    $15::numeric[], $16::text[], $17::timestamptz[]
) as f (
    position, charge, message_id, tenant, account_id, cause, cost_id, due, operator_cost,
    cost_currency, exchange_rate_id, exchange_rate, converted_cost, margin, currency, recorded_at
)
left join eventlog.tenant t on t.pseudonym = f.tenant
on conflict (log_id, charge_position, position) do nothing
