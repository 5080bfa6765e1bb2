-- find_hinted: a message by its own id ($1)
select message_id, tenant_id, account_id, to_msisdn, segment_count, dlr_status
from orch.sms_messages
where message_id = $1
