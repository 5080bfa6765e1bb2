-- put_accounts: adds a row per account, with its tenant, or notes its last change
-- Only forward in the log: what a later event said stays. An erased tenant stays the pseudonym it
-- is in the log. $1 log; per account: $2 position, $3 tenant's pseudonym, $4 account, $5 when first
-- heard of, $6 when changed, $7 position of the change.
insert into billing.accounts as a (
    log_id, position, tenant_id, account_id, created_at, changed_at, changed_position
)
select $1, f.position, coalesce(t.tenant_id, f.tenant), f.account_id, f.first_at, f.changed_at,
    f.changed
from unnest(
    $2::bigint[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::timestamptz[], $7::bigint[]
) as f (position, tenant, account_id, first_at, changed_at, changed)
left join eventlog.tenant t on t.pseudonym = f.tenant
on conflict (log_id, account_id) do update set
    changed_at = excluded.changed_at,
    changed_position = excluded.changed_position
where a.changed_position < excluded.changed_position
