-- insert_held_charges: adds a row per held charge, with its tenant
-- An erased tenant stays the pseudonym it is in the log. $1 log; per charge: $2 position,
-- $3 message, $4 tenant's pseudonym, $5 account, $6 tier, $7 operator, $8 direction, $9 currency,
-- $10 status, $11 segments, $12 when settled, $13 time a price was sought for, $14 reason,
-- $15 when recorded.
insert into billing.held_charges (
    log_id, position, message_id, tenant_id, account_id, account_tier, operator_id, direction,
    currency, dlr_status, segment_count, charged_at, rated_at, reason, held_at
)
select $1, f.position, f.message_id, coalesce(t.tenant_id, f.tenant), f.account_id, f.tier,
    f.operator_id, f.direction, f.currency, f.status, f.segments, f.charged_at, f.rated_at,
    f.reason, f.held_at
from unnest(
    $2::bigint[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::uuid[], $8::text[],
    $9::text[], $10::text[], $11::smallint[], $12::timestamptz[], $13::timestamptz[],
    $14::text[], $15::timestamptz[]
) as f (
    position, message_id, tenant, account_id, tier, operator_id, direction, currency, status,
    segments, charged_at, rated_at, reason, held_at
)
left join eventlog.tenant t on t.pseudonym = f.tenant
on conflict (log_id, position) do nothing
