-- by_request: the first version of a cost that a request opened
-- $1 request.
select * from billing.operator_costs where request = $1 order by log_id, position limit 1
