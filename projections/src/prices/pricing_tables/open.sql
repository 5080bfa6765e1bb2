-- open_pricing_tables: adds a row per version of a price, with its tenant
-- An erased tenant stays the pseudonym it is in the log; a platform's price has none. $1 log; per
-- version: $2 position, $3 version, $4 tenant's pseudonym, $5 tier, $6 operator, $7 direction,
-- $8 currency, $9 model, $10 unit price, $11 billable statuses, joined by commas, $12 beginning,
-- $13 end, $14 who opened it, $15 when, $16 who closed it, $17 position of the last change,
-- $18 request.
insert into billing.pricing_tables (
    log_id, position, pricing_table_id, tenant_id, account_tier, operator_id, direction,
    currency, pricing_model, unit_price, billable_statuses, effective_from, effective_to,
    created_by, created_at, closed_by, changed_position, request
)
select $1, f.position, f.version, coalesce(t.tenant_id, f.tenant), f.tier, f.operator_id,
    f.direction, f.currency, f.model, f.unit_price, string_to_array(f.statuses, ','), f.begins,
    f.ends, f.opened_by, f.opened_at, f.closed_by, f.changed, f.request
from unnest(
    $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::text[],
    $9::text[], $10::numeric[], $11::text[], $12::timestamptz[], $13::timestamptz[],
    $14::text[], $15::timestamptz[], $16::text[], $17::bigint[], $18::uuid[]
) as f (
    position, version, tenant, tier, operator_id, direction, currency, model, unit_price,
    statuses, begins, ends, opened_by, opened_at, closed_by, changed, request
)
left join eventlog.tenant t on t.pseudonym = f.tenant
on conflict (pricing_table_id, log_id) do nothing
