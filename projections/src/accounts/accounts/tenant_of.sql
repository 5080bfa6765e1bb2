-- find_tenant_of_account: whose account it is
-- Who registered it; if nobody did, who used it first of all. $1 log, $2 account.
select coalesce(
    (
        select a.tenant_id from billing.accounts a
        where a.log_id = $1 and a.account_id = $2
    ),
    (
        select t.tenant_id from eventlog.tenant t
        where exists (
            select from billing.usage_days u
            where u.tenant_id = t.tenant_id and u.account_id = $2
        )
        order by t.created_at limit 1
    )
) as tenant_id
