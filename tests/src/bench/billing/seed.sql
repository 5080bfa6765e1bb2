-- seed: a million charges of one account ($1 tenant, $2 account), spread over 400 days and four
-- carriers, and the usage that they add up to
with charge as (
    select
        n,
        timestamptz '2025-01-01 00:00:00+00'
            + make_interval(secs => (n::bigint * 7919) % (400 * 86400)) as at,
        ('00000000-0000-4000-8000-00000000000' || n % 4)::uuid as operator_id,
        (1 + n % 3)::smallint as segments
    from generate_series(1, 1000000) as n
), charged as (
    insert into billing.billing_events (
        log_id, position, billing_event_id, message_id, tenant_id, account_id, operator_id,
        pricing_table_id, operator_cost_id, charged_at, rated_at, created_at, segment_count,
        own_price, billed, cost_missing, clock_skew, late, currency, account_tier, direction,
        dlr_status, customer_price, operator_cost, converted_cost, margin, assessed_position
    )
    select
        1, -n, gen_random_uuid(), gen_random_uuid(), $1, $2, operator_id,
        '00000000-0000-4000-8000-000000000009', null, at, at, at, segments,
        false, true, true, false, false, 'EUR', 'GROWTH', 'MT',
        'DELIVERED', 0.045 * segments, 0, 0, 0.045 * segments, -n
    from charge
    returning rated_at, operator_id, segment_count, customer_price, operator_cost, margin,
        cost_missing
), hours as (
    insert into billing.usage_summaries (
        tenant_id, account_id, hour, operator_id, message_count, segment_count, currency,
        customer_price, operator_cost, margin, cost_missing_count, margin_unknown_count, log_id,
    position
    )
    select
        $1, $2, date_trunc('hour', rated_at, 'UTC'), operator_id, count(*), sum(segment_count),
        'EUR', sum(customer_price), sum(operator_cost), sum(margin),
        count(*) filter (where cost_missing), 0, 1, 0
    from charged
    group by 3, 4
)
insert into billing.usage_days (
    tenant_id, account_id, day, operator_id, message_count, segment_count, currency,
    customer_price, operator_cost, margin, cost_missing_count, margin_unknown_count, log_id,
    position
)
select
    $1, $2, (rated_at at time zone 'UTC')::date, operator_id, count(*), sum(segment_count),
    'EUR', sum(customer_price), sum(operator_cost), sum(margin),
        count(*) filter (where cost_missing), 0, 1, 0
from charged
group by 3, 4
