-- costliest: the cost in effect that takes something of the most charges in their own currency, and how
-- many charges rest on it, whatever their currency: all of them cost something else once it is corrected
select b.operator_cost_id, count(*)
from billing.billing_events b
join billing.operator_costs c on c.operator_cost_id = b.operator_cost_id
where c.effective_to is null
group by 1
having bool_or(c.currency = b.currency and b.operator_cost <> 0)
order by count(*) filter (where c.currency = b.currency and b.operator_cost <> 0) desc, 1 limit 1
