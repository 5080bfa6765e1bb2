-- sum_margins_by_tier: what was charged and what it cost, by the tier that chose the price
-- No sum is kept by tier, so the charges themselves are added up, carrier by carrier along the index. $1
-- log, $2 first instant, $3 first instant after, $4 and $5 after this tier and currency, $6 at most so
-- many, $7 first day, $8 first day after. Money in millionths.
select g.key, g.currency, g.messages, g.segments, g.price, g.cost, g.margin, g.cost_missing,
    g.margin_unknown
from (
    select
        b.account_tier as key, b.currency::text as currency, count(*) as messages,
        sum(b.segment_count)::bigint as segments,
        (sum(b.customer_price) * 1000000)::bigint as price,
        (coalesce(sum(b.converted_cost), 0) * 1000000)::bigint as cost,
        (coalesce(sum(b.margin), 0) * 1000000)::bigint as margin,
        count(*) filter (where b.cost_missing) as cost_missing,
        count(*) filter (where b.margin_unknown) as margin_unknown
    from (
        select distinct operator_id from billing.usage_days
        where log_id = $1 and day >= $7 and day < $8
    ) o
    join billing.billing_events b on b.operator_id = o.operator_id
    where b.log_id = $1 and b.rated_at >= $2 and b.rated_at < $3
    group by 1, 2
) g
where (g.key collate "C", g.currency collate "C") > ($4::text, $5::text)
order by g.key collate "C", g.currency collate "C"
limit $6
