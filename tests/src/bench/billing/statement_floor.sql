-- statement_floor: compares the statement with what is recorded, in one go
-- $1 carrier.
select count(*) filter (where s.segments is distinct from b.segment_count)
from billing.billing_events b
join dlr.delivery_receipts r on r.tenant_id = b.tenant_id and r.message_id = b.message_id
full join statement s on s.id = r.operator_message_id
where b.operator_id = $1
