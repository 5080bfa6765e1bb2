-- explained: a charge that was assessed again more often than others, and how often
select b.message_id, count(*)
from billing.cost_assessments a
join billing.billing_events b on b.log_id = a.log_id and b.position = a.charge_position
group by 1
order by 2 desc, 1 limit 1
