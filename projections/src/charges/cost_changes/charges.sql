-- read_charges_of_a_carrier: charges through a carrier for a time, with what they are shown to cost
-- In the order of the index, whoever's they are. $1 log, $2 operator, $3 direction, or none for both,
-- $4 currency of the charge, or none for all, $5 beginning, $6 end (exclusive), or none, $7 before
-- this position, $8 and $9 behind this time and position, $10 at most.
select b.message_id, coalesce(t.pseudonym, b.tenant_id) as pseudonym, b.account_id, b.operator_id,
    b.rated_at, b.position, b.direction, b.dlr_status, b.segment_count, b.customer_price,
    b.currency, b.operator_cost_id, b.exchange_rate_id, b.operator_cost, b.converted_cost, b.margin
from billing.billing_events b
left join eventlog.tenant t on t.tenant_id = b.tenant_id
where b.operator_id = $2 and b.log_id = $1
    and b.rated_at >= $5::timestamptz and b.rated_at < coalesce($6::timestamptz, 'infinity')
    and (b.rated_at, b.position) > ($8::timestamptz, $9::bigint)
    and b.position < $7
    and ($3::text is null or b.direction = $3) and ($4::text is null or b.currency = $4)
order by b.rated_at, b.position
limit $10
