-- seed: charges of a month that no other test knows, and the sums of their days
-- $1 tenant, $2 another, $3 account of the first, $4 another of it, $5 one of the other, $6 and $7
-- carriers. Of every combination 3 charges, one without a cost, one whose margin nobody knows.
with charge as (
    select a.tenant_id, a.account_id, o.operator_id, t.tier, c.currency, n,
        timestamptz '1998-03-01Z' + make_interval(days => 11 * n, hours => 5) as at
    from (values ($1::uuid, $3::uuid), ($1, $4::uuid), ($2::uuid, $5::uuid)) a (tenant_id, account_id),
        (values ($6::uuid), ($7::uuid)) o (operator_id),
        (values ('GROWTH'), ('CUSTOM')) t (tier),
        (values ('EUR'), ('USD')) c (currency),
        generate_series(0, 2) n
), charged as (
    insert into billing.billing_events (
        log_id, position, billing_event_id, message_id, tenant_id, account_id, operator_id,
        pricing_table_id, charged_at, rated_at, created_at, segment_count, own_price, billed,
        cost_missing, clock_skew, late, currency, account_tier, direction, dlr_status,
        customer_price, operator_cost, cost_currency, converted_cost, margin, assessed_position
    )
    select 1, -(random() * 4e18)::bigint, gen_random_uuid(), gen_random_uuid(), tenant_id, account_id,
        operator_id, gen_random_uuid(), at, at, at, 1 + n, false, true, n = 0, false, false, currency,
        tier, 'MT', 'DELIVERED', 0.045 * (1 + n), case n when 0 then 0 else 0.02 end,
        case n when 0 then null when 1 then currency else 'CHF' end,
        case n when 0 then 0 when 1 then 0.02 end, case n when 0 then 0.045 when 1 then 0.07 end, 0
    from charge
    returning *
)
insert into billing.usage_days (
    tenant_id, account_id, day, operator_id, message_count, segment_count, currency, customer_price,
    operator_cost, margin, cost_missing_count, margin_unknown_count, log_id, position
)
select tenant_id, account_id, (rated_at at time zone 'UTC')::date, operator_id, count(*),
    sum(segment_count), currency, sum(customer_price), coalesce(sum(converted_cost), 0),
    coalesce(sum(margin), 0), count(*) filter (where cost_missing),
    count(*) filter (where margin is null), 1, 0
from charged group by 1, 2, 3, 4, 7
