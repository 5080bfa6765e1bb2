-- find: an account, whosever it is
-- Should two tenants have registered it, the first one counts. $1 account.
select
    tenant_id, account_tier, currency, billing_name, billing_address, sealed_version, created_at,
    changed_at, changed_position
from billing.accounts
where account_id = $1 order by log_id, position limit 1
