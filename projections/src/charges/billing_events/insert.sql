-- insert_billing_events: adds a row per charge, with its tenant
-- An erased tenant stays the pseudonym it is in the log. $1 log; per charge: $2 position,
-- $3 charge, $4 message, $5 tenant's pseudonym, $6 account, $7 operator, $8 version of the price,
-- $9 of the cost, $10 when settled, $11 time that chose the versions, $12 when recorded,
-- $13 segments, $14 tenant's own price, $15 billed, $16 cost missing, $17 clock skew, $18 late,
-- $19 currency, $20 tier, $21 direction, $22 status, $23 price, $24 cost, $25 its currency,
-- $26 version of the exchange rate, $27 cost in the charge's currency, $28 margin.
insert into billing.billing_events (
    log_id, position, billing_event_id, message_id, tenant_id, account_id, operator_id,
    pricing_table_id, operator_cost_id, charged_at, rated_at, created_at, segment_count,
    own_price, billed, cost_missing, clock_skew, late, currency, account_tier, direction,
    dlr_status, customer_price, operator_cost, cost_currency, exchange_rate_id, converted_cost,
    margin, assessed_position
)
select $1, f.position, f.charge_id, f.message_id, coalesce(t.tenant_id, f.tenant), f.account_id,
    f.operator_id, f.price_id, f.cost_id, f.charged_at, f.rated_at, f.recorded_at, f.segments,
    f.own_price, f.billed, f.cost_missing, f.clock_skew, f.late, f.currency, f.tier, f.direction,
    f.status, f.customer_price, f.operator_cost, f.cost_currency, f.exchange_rate_id,
    f.converted_cost, f.margin, f.position
from unnest(
    $2::bigint[], $3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::uuid[],
    $9::uuid[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::smallint[],
    $14::boolean[], $15::boolean[], $16::boolean[], $17::boolean[], $18::boolean[], $19::text[],
    $20::text[], $21::text[], $22::text[], $23::numeric[], $24::numeric[], $25::text[],
    $26::uuid[], $27::numeric[], $28::numeric[]
) as f (
    position, charge_id, message_id, tenant, account_id, operator_id, price_id, cost_id,
    charged_at, rated_at, recorded_at, segments, own_price, billed, cost_missing, clock_skew,
    late, currency, tier, direction, status, customer_price, operator_cost, cost_currency,
    exchange_rate_id, converted_cost, margin
)
left join eventlog.tenant t on t.pseudonym = f.tenant
on conflict (log_id, position) do nothing
