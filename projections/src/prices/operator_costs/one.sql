-- find_operator_cost: a version of a cost
-- $1 version.
select
    operator_cost_id, operator_id, direction, cost_per_segment, currency, due_statuses,
    effective_from, effective_to, created_by, created_at, closed_by, position, changed_position, request
from billing.operator_costs
where operator_cost_id = $1
