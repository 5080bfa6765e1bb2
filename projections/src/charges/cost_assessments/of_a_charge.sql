-- find_assessments_of_a_charge: where a charge was assessed again, oldest first
-- $1 log, $2 position of the charge.
select position from billing.cost_assessments
where log_id = $1 and charge_position = $2
order by position
