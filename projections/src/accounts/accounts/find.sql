-- find_account: an account, whosever it is
-- $1 log, $2 account.
select a.tenant_id, a.account_tier, a.currency, a.billing_name, a.billing_address,
    a.sealed_version, a.position, a.created_at, a.changed_at, a.changed_position
from billing.accounts a
where a.log_id = $1 and a.account_id = $2
