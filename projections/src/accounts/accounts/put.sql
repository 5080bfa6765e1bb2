-- put_accounts: adds a row per account, with its tenant, or brings it up to date
-- Only forward in the log: what a later event said stays. An erased tenant stays the pseudonym it
-- is in the log. $1 log; per account: $2 position, $3 tenant's pseudonym, $4 account, $5 tier,
-- $6 currency, $7 and $8 name and address on invoices, sealed, $9 the version they were sealed
-- in, $10 when first heard of, $11 when changed, $12 position of the change.
insert into billing.accounts as a (
    log_id, position, tenant_id, account_id, account_tier, currency, billing_name,
    billing_address, sealed_version, created_at, changed_at, changed_position
)
select $1, f.position, coalesce(t.tenant_id, f.tenant), f.account_id, f.tier, f.currency,
    f.billing_name, f.billing_address, f.sealed_version, f.first_at, f.changed_at, f.changed
from unnest(
    $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::integer[], $10::timestamptz[], $11::timestamptz[], $12::bigint[]
) as f (
    position, tenant, account_id, tier, currency, billing_name, billing_address,
    sealed_version, first_at, changed_at, changed
)
left join eventlog.tenant t on t.pseudonym = f.tenant
on conflict (log_id, account_id) do update set
    account_tier = excluded.account_tier,
    currency = excluded.currency,
    billing_name = excluded.billing_name,
    billing_address = excluded.billing_address,
    sealed_version = excluded.sealed_version,
    changed_at = excluded.changed_at,
    changed_position = excluded.changed_position
where a.changed_position < excluded.changed_position
