-- find_charge_by_the_platform: whether a tenant was charged the platform's price in a period
-- Steps through the tenant's accounts along the index, and looks at each one's charges of the
-- period; nothing else of the table is touched. $1 tenant, $2 tier, $3 operator, $4 direction,
-- $5 currency, $6 beginning, $7 end (exclusive), or none.
with recursive account (account_id) as (
    (
        select b.account_id from billing.billing_events b
        where b.tenant_id = $1 order by b.account_id limit 1
    )
    union all
    select (
        select b.account_id from billing.billing_events b
        where b.tenant_id = $1 and b.account_id > a.account_id order by b.account_id limit 1
    )
    from account a where a.account_id is not null
)
select exists (
    select from account a
    join billing.billing_events b on b.tenant_id = $1 and b.account_id = a.account_id
    where b.rated_at >= $6::timestamptz and b.rated_at < coalesce($7::timestamptz, 'infinity')
        and not b.own_price
        and b.account_tier = $2 and b.operator_id = $3 and b.direction = $4 and b.currency = $5
) as charged
