-- read_usage_by_day: what an account used, by day and currency
-- In the order of the table's key, so that nothing is sorted; money in millionths. $1 tenant,
-- $2 account, $3 first day, $4 first day after, $5 operator, or none for all.
select day as period, currency, sum(message_count)::bigint as messages,
    sum(segment_count)::bigint as segments, sum(price_millionths)::bigint as price,
    sum(cost_millionths)::bigint as cost, sum(margin_millionths)::bigint as margin,
    sum(cost_missing_count)::bigint as cost_missing,
    sum(margin_unknown_count)::bigint as margin_unknown
from billing.usage_days
where tenant_id = $1 and account_id = $2 and day >= $3 and day < $4
    and ($5::uuid is null or operator_id = $5)
group by day, currency
order by day, currency
