-- uneven: buckets by hour and by day that are not the sum of their charges, and charges without one
with charge as (
    select tenant_id, account_id, date_trunc('hour', rated_at, 'UTC') as hour, currency,
        operator_id, count(*) as messages, sum(segment_count) as segments,
        sum(customer_price) as price, coalesce(sum(converted_cost), 0) as cost,
        coalesce(sum(margin), 0) as margin, count(*) filter (where cost_missing) as missing,
        count(*) filter (where margin_unknown) as unknown
    from billing.billing_events group by 1, 2, 3, 4, 5
), by_day as (
    select tenant_id, account_id, (hour at time zone 'UTC')::date as day, currency, operator_id,
        sum(messages) as messages, sum(segments) as segments, sum(price) as price,
        sum(cost) as cost, sum(margin) as margin, sum(missing) as missing,
        sum(unknown) as unknown
    from charge group by 1, 2, 3, 4, 5
)
select
    (
        select count(*) from charge c
        full join billing.usage_summaries u
            using (tenant_id, account_id, hour, currency, operator_id)
        where (c.messages, c.segments, c.price, c.cost, c.margin, c.missing, c.unknown) is distinct from
            (
                u.message_count, u.segment_count, u.customer_price, u.operator_cost, u.margin,
                u.cost_missing_count, u.margin_unknown_count
            )
    ),
    (
        select count(*) from by_day d
        full join billing.usage_days u
            using (tenant_id, account_id, day, currency, operator_id)
        where (d.messages, d.segments, d.price, d.cost, d.margin, d.missing, d.unknown) is distinct from
            (
                u.message_count, u.segment_count, u.customer_price, u.operator_cost, u.margin,
                u.cost_missing_count, u.margin_unknown_count
            )
    ),
    (select count(*) from billing.usage_summaries)
