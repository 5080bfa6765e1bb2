-- statement_of: the carrier with the most charges whose costs are in one currency, and the days they are of
select b.operator_id, min(b.cost_currency)::text,
    min((b.rated_at at time zone 'UTC')::date)::text,
    max((b.rated_at at time zone 'UTC')::date)::text
from billing.billing_events b
group by 1
having count(distinct b.cost_currency) = 1
order by count(*) desc, 1 limit 1
