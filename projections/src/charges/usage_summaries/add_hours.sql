-- add_usage_summaries: adds charges, and what they cost since, to the usage of their hours
-- An erased tenant stays the pseudonym it is in the log. $1 log; per bucket: $2 tenant's
-- pseudonym, $3 account, $4 hour, $5 currency, $6 operator, $7 messages, $8 segments, $9 price,
-- $10 cost, $11 margin, $12 messages without a cost, $13 without a margin, $14 position of the last
-- charge.
insert into billing.usage_summaries as u (
    tenant_id, account_id, hour, currency, operator_id, message_count, segment_count,
    customer_price, operator_cost, margin, cost_missing_count, margin_unknown_count, log_id,
    position
)
select coalesce(t.tenant_id, f.tenant), f.account_id, f.hour, f.currency, f.operator_id,
    f.messages, f.segments, f.price, f.cost, f.margin, f.missing, f.unknown, $1, f.position
from unnest(
    $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::uuid[], $7::bigint[], $8::bigint[],
    $9::numeric[], $10::numeric[], $11::numeric[], $12::bigint[], $13::bigint[], $14::bigint[]
) as f (
    tenant, account_id, hour, currency, operator_id, messages, segments, price, cost, margin,
    missing, unknown, position
)
left join eventlog.tenant t on t.pseudonym = f.tenant
on conflict (tenant_id, account_id, hour, currency, operator_id, log_id) do update set
    message_count = u.message_count + excluded.message_count,
    segment_count = u.segment_count + excluded.segment_count,
    customer_price = u.customer_price + excluded.customer_price,
    operator_cost = u.operator_cost + excluded.operator_cost,
    margin = u.margin + excluded.margin,
    cost_missing_count = u.cost_missing_count + excluded.cost_missing_count,
    margin_unknown_count = u.margin_unknown_count + excluded.margin_unknown_count,
    position = excluded.position
