-- read_usage_adjustments: what the adjustments of an account add up to, by period and currency
-- In order of time; money in millionths. An adjustment counts when it was approved. $1 tenant,
-- $2 account, $3 first instant, $4 first instant after, $5 length of a period (hour or day).
select date_trunc($5, decided_at, 'UTC') as period, currency, count(*) as adjustments,
    (sum(amount) * 1000000)::bigint as amount
from billing.adjustments
where tenant_id = $1 and account_id = $2 and status = 'APPROVED'
    and decided_at >= $3 and decided_at < $4
group by 1, 2
order by 1, 2
