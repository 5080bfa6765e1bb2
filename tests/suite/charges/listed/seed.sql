-- seed: charges of an account, one a second, as the projection would show them
-- $1 tenant, $2 account, $3 and $4 carriers in turn, $5 how many, $6 the position of the first, below
-- 0: no event stands there. Three of the same second; each fifth REJECTED and not billed, and one in
-- 10 000 EXPIRED.
insert into billing.billing_events (
    log_id, position, billing_event_id, message_id, tenant_id, account_id, operator_id,
    pricing_table_id, operator_cost_id, charged_at, rated_at, created_at, segment_count, own_price,
    billed, cost_missing, clock_skew, late, currency, account_tier, direction, dlr_status,
    customer_price, operator_cost, converted_cost, margin, assessed_position
)
select
    1, $6::bigint + n, gen_random_uuid(), gen_random_uuid(), $1, $2,
    case when n % 2 = 0 then $3::uuid else $4::uuid end, gen_random_uuid(), null, at, at, at,
    1 + n % 3, false, n % 5 <> 0, true, false, false, 'EUR', 'GROWTH', 'MT',
    case when n % 10000 = 9999 then 'EXPIRED' when n % 5 = 0 then 'REJECTED' else 'DELIVERED' end,
    case when n % 5 = 0 then 0 else 0.045 * (1 + n % 3) end, 0, 0,
    case when n % 5 = 0 then 0 else 0.045 * (1 + n % 3) end, $6::bigint + n
from generate_series(0, $5::bigint - 1) n,
    lateral (select timestamptz '2026-02-01Z' + make_interval(secs => n / 3) as at) t
