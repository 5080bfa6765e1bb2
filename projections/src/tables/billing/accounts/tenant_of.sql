-- tenant_of: whose account it is
-- Who registered it first; if nobody did, who used it. $1 account.
select coalesce(
    (
        select a.tenant_id from billing.accounts a
        where a.account_id = $1 order by a.log_id, a.position limit 1
    ),
    (
        select t.tenant_id from eventlog.tenant t
        where exists (
            select from billing.usage_days u
            where u.tenant_id = t.tenant_id and u.account_id = $1
        )
        order by t.created_at limit 1
    )
) as tenant_id
