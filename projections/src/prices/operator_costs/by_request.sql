-- find_operator_cost_by_request: the first version of a cost that a request opened
-- $1 request.
select
    operator_cost_id, operator_id, direction, cost_per_segment, currency, due_statuses,
    effective_from, effective_to, created_by, created_at, closed_by, position, changed_position, request
from billing.operator_costs
where request = $1 order by log_id, position limit 1
