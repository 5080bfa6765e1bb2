-- one: a version of a cost
-- $1 version.
select * from billing.operator_costs where operator_cost_id = $1
