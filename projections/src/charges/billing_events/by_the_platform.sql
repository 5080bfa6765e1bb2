-- find_charges_by_the_platform: whether tenants were charged the platform's price in periods
-- In the order asked. Steps through each tenant's accounts along the index, and looks at each one's
-- charges of the period; nothing else of the table is touched. Per question: $1 tenant (none was
-- never charged), $2 tier, $3 operator, $4 direction, $5 currency, $6 beginning, $7 end (exclusive),
-- or none.
select charged.charged
from unnest(
    $1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[]
) with ordinality as a (tenant, tier, operator_id, direction, currency, begins, ends, n)
cross join lateral (
    with recursive account (account_id) as (
        (
            select b.account_id from billing.billing_events b
            where b.tenant_id = a.tenant order by b.account_id limit 1
        )
        union all
        select (
            select b.account_id from billing.billing_events b
            where b.tenant_id = a.tenant and b.account_id > account.account_id
            order by b.account_id limit 1
        )
        from account where account.account_id is not null
    )
    select exists (
        select from account
        join billing.billing_events b
            on b.tenant_id = a.tenant and b.account_id = account.account_id
        where b.rated_at >= a.begins and b.rated_at < coalesce(a.ends, 'infinity')
            and not b.own_price
            and b.account_tier = a.tier and b.operator_id = a.operator_id
            and b.direction = a.direction and b.currency = a.currency
    ) as charged
) charged
order by a.n
