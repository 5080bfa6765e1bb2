-- statement: what a carrier would write down of the messages that went through it, charged or waiting
-- $1 carrier. No cost where we know none.
select b.message_id, r.operator_message_id, b.dlr_status, b.segment_count, b.cost
from (
    select tenant_id, message_id, operator_id, position, dlr_status, segment_count,
        case when cost_currency is null then '' else operator_cost::text end as cost
    from billing.billing_events
    union all
    select tenant_id, message_id, operator_id, position, dlr_status, segment_count, ''
    from billing.held_charges where resolved_at is null
) b
join lateral (
    select d.operator_message_id from dlr.delivery_receipts d
    where d.tenant_id = b.tenant_id and d.message_id = b.message_id
        and d.operator_id = b.operator_id::text
    order by d.position limit 1
) as r on true
where b.operator_id = $1
order by b.position
