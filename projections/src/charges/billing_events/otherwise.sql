-- find_charge_otherwise: whether an account was charged by another tier or in another currency
-- Along the index, and only as far as the first one. $1 tenant, $2 account, $3 beginning, $4 end
-- (exclusive), or none, $5 tier, $6 currency.
select exists (
    select from billing.billing_events b
    where b.tenant_id = $1 and b.account_id = $2
        and b.rated_at >= $3::timestamptz and b.rated_at < coalesce($4::timestamptz, 'infinity')
        and (b.account_tier <> $5 or b.currency <> $6)
) as charged
