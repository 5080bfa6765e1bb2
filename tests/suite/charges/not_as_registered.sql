-- not as registered: charges by a tier or in a currency that the account's final timeline lacks then
-- No parameters.
select c.message_id
from billing.billing_events c
cross join lateral (
    select v.account_tier, v.currency
    from billing.account_versions v
    where
        v.log_id = c.log_id and v.account_id = c.account_id and v.replaced_position is null
        and v.effective_from <= c.rated_at
    order by v.effective_from desc
    limit 1
) v
where (v.account_tier, v.currency) is distinct from (c.account_tier, c.currency)
