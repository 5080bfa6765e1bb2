-- sums: of all charges and of all buckets of usage, by currency, in millionths
-- No parameters.
select
    coalesce(c.currency, u.currency)::text as currency,
    coalesce(c.messages, 0)::bigint, coalesce(c.price, 0)::bigint, coalesce(c.cost, 0)::bigint,
    coalesce(u.messages, 0)::bigint, coalesce(u.price, 0)::bigint, coalesce(u.cost, 0)::bigint
from (
    select
        currency, count(*) as messages,
        sum(customer_price) * 1000000 as price, sum(converted_cost) * 1000000 as cost
    from billing.billing_events group by currency
) c
full join (
    select
        currency, sum(message_count) as messages,
        sum(customer_price) * 1000000 as price, sum(operator_cost) * 1000000 as cost
    from billing.usage_summaries group by currency
) u using (currency)
order by 1
