-- list_charges: an account's charges in the order of their time, and where the search stopped
-- Looks at $9 of them at most, along the index, so that a rare status does not cost a walk through
-- years: the last of so many comes even if it is not sought. $1 log, $2 tenant, $3 account, $4 after
-- this time, $5 and at it after this position, $6 before this time (its bare value, or the
-- policies keep it from the index), $7 up to this position, $8 at most so many, $9 looked at, $10
-- operator, $11 status, $12 billed; a null leaves one of these three out.
select
    place, sought, position, rated_at, message_id, tenant_id, account_id, operator_id, direction,
    segment_count, dlr_status, charged_at, created_at, account_tier, billed, customer_price, currency,
    pricing_table_id, own_price, clock_skew, late, operator_cost_id, operator_cost, cost_currency,
    exchange_rate_id, converted_cost, margin, assessed_position
from (
    select
        l.*,
        ($10::uuid is null or l.operator_id = $10)
            and ($11::text is null or l.dlr_status = $11)
            and ($12::boolean is null or l.billed = $12) as sought,
        row_number() over (order by l.rated_at, l.position) as place
    from (
        select *
        from billing.billing_events
        where log_id = $1 and tenant_id = $2 and account_id = $3
            and (rated_at, position) > ($4::timestamptz, $5::bigint)
            and rated_at < $6
            and position <= $7
        order by rated_at, position
        limit $9
    ) l
) b
where sought or place = $9
order by rated_at, position
limit $8
