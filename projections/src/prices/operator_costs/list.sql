-- list_operator_costs: versions of costs, in the order they were opened
-- A null leaves a filter out. $1 log, $2 after this position, $3 at most, $4 operator,
-- $5 direction, $6 in effect at.
select
    operator_cost_id, operator_id, direction, cost_per_segment, currency, due_statuses,
    effective_from, effective_to, created_by, created_at, closed_by, position, changed_position, request
from billing.operator_costs
where log_id = $1 and position > $2
    and ($4::uuid is null or operator_id = $4)
    and ($5::text is null or direction = $5)
    and ($6::timestamptz is null
        or (effective_from <= $6 and (effective_to is null or $6 < effective_to)))
order by position
limit $3
