-- open_operator_costs: adds a row per version of a cost
-- $1 log; per version: $2 position, $3 version, $4 operator, $5 direction, $6 cost of a segment,
-- $7 currency, $8 beginning, $9 end, $10 who opened it, $11 when, $12 who closed it,
-- $13 position of the last change, $14 request.
insert into billing.operator_costs (
    log_id, position, operator_cost_id, operator_id, direction, cost_per_segment, currency,
    effective_from, effective_to, created_by, created_at, closed_by, changed_position, request
)
select $1, f.position, f.version, f.operator_id, f.direction, f.cost, f.currency, f.begins,
    f.ends, f.opened_by, f.opened_at, f.closed_by, f.changed, f.request
from unnest(
    $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::numeric[], $7::text[],
    $8::timestamptz[], $9::timestamptz[], $10::text[], $11::timestamptz[], $12::text[],
    $13::bigint[], $14::uuid[]
) as f (
    position, version, operator_id, direction, cost, currency, begins, ends, opened_by,
    opened_at, closed_by, changed, request
)
on conflict (operator_cost_id, log_id) do nothing
