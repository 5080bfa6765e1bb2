-- reassessed: how many charges cost something else since a cost became known
select count(distinct charge_position) from billing.cost_assessments
