-- statement_seed: a million charges through one carrier ($3) in March 2026, and a receipt of each
-- $1 tenant, $2 account. Message n has the carrier's id op-n, 1 to 3 segments, and costs 0.02 for each.
with charge as materialized (
    select
        n, gen_random_uuid() as message_id,
        timestamptz '2026-03-01 00:00:00+00'
            + make_interval(secs => (n::bigint * 7919) % (31 * 86400)) as at,
        (1 + n % 3)::smallint as segments
    from generate_series(1, 1000000) as n
), charged as (
    insert into billing.billing_events (
        log_id, position, billing_event_id, message_id, tenant_id, account_id, operator_id,
        pricing_table_id, operator_cost_id, charged_at, rated_at, created_at, segment_count,
        own_price, billed, cost_missing, clock_skew, late, currency, account_tier, direction,
        dlr_status, customer_price, operator_cost, cost_currency, converted_cost, margin,
        assessed_position
    )
    select
        1, -n, gen_random_uuid(), message_id, $1, $2, $3, '00000000-0000-4000-8000-000000000009',
        '00000000-0000-4000-8000-000000000008', at, at, at, segments, false, true, false, false, false,
        'EUR', 'GROWTH', 'MT', 'DELIVERED', 0.045 * segments, 0.02 * segments, 'EUR',
        0.02 * segments, 0.025 * segments, -n
    from charge
)
insert into dlr.delivery_receipts (
    log_id, position, receipt_id, message_id, tenant_id, account_id, operator_id,
    operator_message_id, raw_stat, dlr_status, delivered_at, correlated_at, created_at
)
select 1, -n, gen_random_uuid(), message_id, $1, $2, $3::uuid::text, 'op-' || n, 'DELIVRD', 'DELIVERED',
    at, at, at
from charge
