-- find_message: the youngest message of an operator's id ($1 operator, $2 its id of the message)
select message_id, tenant_id, account_id, to_msisdn, segment_count, dlr_status
from orch.sms_messages
where operator_id = $1 and operator_message_id = $2
order by enqueued_at desc
limit 1
