-- cost_row: a version of a cost
-- $1 version, $2 operator, $3 beginning, $4 end, in seconds.
insert into billing.operator_costs (
    log_id, position, operator_cost_id, operator_id, direction, cost_per_segment, currency,
    due_statuses, effective_from, effective_to, created_by, created_at, changed_position, request
)
select 1, 1 + count(*), $1, ($2::uuid[])[1], 'MT', 0.02, 'EUR',
    array['DELIVERED'], to_timestamp($3::bigint),
    to_timestamp($4::bigint), 'somebody', now(), 1, $1
from billing.operator_costs
