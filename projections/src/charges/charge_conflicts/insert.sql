-- insert_charge_conflicts: adds a row per contradiction, with the tenants behind the pseudonyms
-- An erased tenant stays the pseudonym it is in the log. $1 log; per contradiction: $2 position,
-- $3 event, $4 message, $5 names of the fields that differ as the text of an array, $6 when
-- recorded; then what it says: $7 announcement, $8 tenant's pseudonym, $9 account, $10 operator,
-- $11 direction, $12 segments, $13 status, $14 when reached, $15 when charged, $16 tier,
-- $17 currency; then $18 to $28, the same of the one that counts.
insert into billing.charge_conflicts (
    log_id, position, conflict_id, message_id, differs, recorded_at, source_event_id, tenant_id,
    account_id, operator_id, direction, segment_count, dlr_status, occurred_at, charged_at,
    stated_tier, stated_currency, first_source_event_id, first_tenant_id, first_account_id,
    first_operator_id, first_direction, first_segment_count, first_dlr_status, first_occurred_at,
    first_charged_at, first_stated_tier, first_stated_currency
)
select $1, c.position, c.conflict_id, c.message_id, c.differs::text[], c.recorded_at, c.source,
    coalesce(s.tenant_id, c.tenant), c.account, c.operator, c.direction, c.segments, c.status,
    c.occurred_at, c.charged_at, c.tier, c.currency, c.first_source,
    coalesce(f.tenant_id, c.first_tenant), c.first_account, c.first_operator, c.first_direction,
    c.first_segments, c.first_status, c.first_occurred_at, c.first_charged_at, c.first_tier,
    c.first_currency
from unnest(
    $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[],
    $7::uuid[], $8::uuid[], $9::uuid[], $10::uuid[], $11::text[], $12::smallint[], $13::text[],
    $14::timestamptz[], $15::timestamptz[], $16::text[], $17::text[],
    $18::uuid[], $19::uuid[], $20::uuid[], $21::uuid[], $22::text[], $23::smallint[],
    $24::text[], $25::timestamptz[], $26::timestamptz[], $27::text[], $28::text[]
) as c (
    position, conflict_id, message_id, differs, recorded_at, source, tenant, account, operator,
    direction, segments, status, occurred_at, charged_at, tier, currency, first_source,
    first_tenant, first_account, first_operator, first_direction, first_segments, first_status,
    first_occurred_at, first_charged_at, first_tier, first_currency
)
left join eventlog.tenant s on s.pseudonym = c.tenant
left join eventlog.tenant f on f.pseudonym = c.first_tenant
on conflict (log_id, position) do nothing
