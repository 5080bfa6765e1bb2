-- costliest: the cost in effect that most charges rest on and that is in their currency, and how many do
select b.operator_cost_id, count(*)
from billing.billing_events b
join billing.operator_costs c on c.operator_cost_id = b.operator_cost_id
where c.effective_to is null and c.currency = b.currency and b.operator_cost <> 0
group by 1
having count(*) = (
    select count(*) from billing.billing_events o where o.operator_cost_id = b.operator_cost_id
)
order by 2 desc, 1 limit 1
