-- open_operator_costs: adds a row per version of a cost
-- $1 log; per version: $2 position, $3 version, $4 operator, $5 direction, $6 cost of a segment,
-- $7 currency, $8 statuses joined by commas, $9 beginning, $10 end, $11 who opened it, $12 when,
-- $13 who closed it, $14 position of the last change, $15 request.
insert into billing.operator_costs (
    log_id, position, operator_cost_id, operator_id, direction, cost_per_segment, currency,
    due_statuses, effective_from, effective_to, created_by, created_at, closed_by, changed_position, request
)
select $1, f.position, f.version, f.operator_id, f.direction, f.cost, f.currency,
    string_to_array(f.due, ','), f.begins,
    f.ends, f.opened_by, f.opened_at, f.closed_by, f.changed, f.request
from unnest(
    $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::numeric[], $7::text[],
    $8::text[], $9::timestamptz[], $10::timestamptz[], $11::text[], $12::timestamptz[],
    $13::text[], $14::bigint[], $15::uuid[]
) as f (
    position, version, operator_id, direction, cost, currency, due, begins, ends, opened_by,
    opened_at, closed_by, changed, request
)
on conflict (operator_cost_id, log_id) do nothing
