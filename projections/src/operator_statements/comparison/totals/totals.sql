-- sum_statement_day: our messages of one carrier and day by status, as a statement of totals has them
-- Settled ones, charged or held; a cost that we do not know has no currency. $1 log, $2 carrier,
-- $3 from, $4 before.
select dlr_status as status, count(*) as messages, sum(segment_count)::bigint as segments,
    sum(cost) as cost, currency::text
from (
    select dlr_status, segment_count,
        case when cost_currency is not null then operator_cost end as cost,
        cost_currency as currency
    from billing.billing_events
    where log_id = $1 and operator_id = $2 and rated_at >= $3 and rated_at < $4
    union all
    select dlr_status, segment_count, null, null
    from billing.held_charges
    where log_id = $1 and operator_id = $2 and rated_at >= $3 and rated_at < $4
        and resolved_at is null
) as settled
group by dlr_status, currency
