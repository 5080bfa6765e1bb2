-- sum_margins: what was charged and what it cost, by carrier, account, tenant or currency
-- Of the days' sums, all tenants together. $1 log, $2 first day, $3 first day after, $4 by what, $5 and
-- $6 after this group and currency, $7 at most so many. Money in millionths.
select g.key, g.currency, g.messages, g.segments, g.price, g.cost, g.margin, g.cost_missing,
    g.margin_unknown
from (
    select
        case $4
            when 'operator' then operator_id::text
            when 'account' then account_id::text
            when 'tenant' then tenant_id::text
            else currency::text
        end as key,
        currency::text as currency, sum(message_count)::bigint as messages,
        sum(segment_count)::bigint as segments, sum(price_millionths)::bigint as price,
        sum(cost_millionths)::bigint as cost, sum(margin_millionths)::bigint as margin,
        sum(cost_missing_count)::bigint as cost_missing,
        sum(margin_unknown_count)::bigint as margin_unknown
    from billing.usage_days
    where log_id = $1 and day >= $2 and day < $3
    group by 1, 2
) g
where (g.key collate "C", g.currency collate "C") > ($5::text, $6::text)
order by g.key collate "C", g.currency collate "C"
limit $7
