-- much_usage: a month of one account's usage among that of many
-- $1 tenant, $2 account.
insert into billing.usage_summaries (
    tenant_id, account_id, hour, operator_id, message_count, segment_count, currency,
    customer_price, operator_cost, margin, cost_missing_count, margin_unknown_count, log_id,
    position
)
select case a when 1 then $1::uuid else gen_random_uuid() end,
    case a when 1 then $2::uuid else gen_random_uuid() end,
    h, md5(o::text)::uuid, 1, 1, 'EUR', 1, 1, 0, 0, 0, 1, 1
from generate_series(1, 10) a, generate_series(1, 3) o,
    generate_series(timestamptz '2026-01-01Z', '2026-01-31Z', '1 hour') h;
insert into billing.usage_days (
    tenant_id, account_id, day, operator_id, message_count, segment_count, currency,
    customer_price, operator_cost, margin, cost_missing_count, margin_unknown_count, log_id,
    position
)
select tenant_id, account_id, (hour at time zone 'UTC')::date, operator_id, count(*), count(*),
    currency, count(*), count(*), 0, 0, 0, 1, 1
from billing.usage_summaries group by 1, 2, 3, 4, 7;
analyze billing.usage_summaries, billing.usage_days;
