-- insert_adjustments: adds a row per proposed adjustment, with its tenant
-- An erased tenant stays the pseudonym it is in the log. $1 log; per adjustment: $2 position,
-- $3 adjustment, $4 tenant's pseudonym, $5 account, $6 amount, $7 currency, $8 message, if any,
-- $9 reason, sealed, $10 the version it was sealed in, $11 who proposed it, $12 when recorded.
insert into billing.adjustments (
    log_id, position, adjustment_id, tenant_id, account_id, amount, currency, message_id, status,
    reason, reason_version, proposed_by, proposed_at, changed_position
)
select $1, f.position, f.adjustment_id, coalesce(t.tenant_id, f.tenant), f.account_id, f.amount,
    f.currency, f.message_id, 'PROPOSED', f.reason, f.version, f.proposed_by, f.proposed_at,
    f.position
from unnest(
    $2::bigint[], $3::uuid[], $4::uuid[], $5::uuid[], $6::numeric[], $7::text[], $8::uuid[],
    $9::text[], $10::integer[], $11::text[], $12::timestamptz[]
) as f (
    position, adjustment_id, tenant, account_id, amount, currency, message_id, reason, version,
    proposed_by, proposed_at
)
left join eventlog.tenant t on t.pseudonym = f.tenant
on conflict (log_id, position) do nothing
