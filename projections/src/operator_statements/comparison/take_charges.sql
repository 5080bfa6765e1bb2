-- take_statement_charges: puts our messages of one carrier and time beside its statement
-- Settled ones, charged or held, each with every id that the carrier gave to it or to a part of it.
-- $1 upload, $2 log, $3 carrier, $4 from, $5 before, $6 whether that is within the statement's days.
with settled as materialized (
    select tenant_id, message_id, rated_at, dlr_status, segment_count,
        case when cost_currency is not null then operator_cost end as cost,
        cost_currency as currency
    from billing.billing_events
    where log_id = $2 and operator_id = $3 and rated_at >= $4 and rated_at < $5
    union all
    select tenant_id, message_id, rated_at, dlr_status, segment_count, null, null
    from billing.held_charges
    where log_id = $2 and operator_id = $3 and rated_at >= $4 and rated_at < $5
        and resolved_at is null
)
insert into billing.operator_statement_charges (
    upload, message_id, operator_message_id, rated_at, in_period, status, segments, cost, currency
)
select distinct $1::uuid, s.message_id, r.operator_message_id, s.rated_at, $6::boolean, s.dlr_status,
    s.segment_count, s.cost, s.currency
from settled s
left join dlr.delivery_receipts r
    on r.tenant_id = s.tenant_id and r.message_id = s.message_id
    and r.log_id = $2 and r.operator_id = $3::uuid::text
