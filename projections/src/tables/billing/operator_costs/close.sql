-- close: gives versions of a cost their end
-- Only forward in the log: what a later event changed stays. $1 version, $2 end, $3 who closed it,
-- $4 position.
update billing.operator_costs v
set effective_to = f.ends, closed_by = f.closed_by, changed_position = f.position
from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::bigint[])
    as f (version, ends, closed_by, position)
where v.operator_cost_id = f.version and v.changed_position < f.position
