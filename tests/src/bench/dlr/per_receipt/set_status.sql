-- set_status: moves a message ($1) to a status ($2) received at $3, unless it has a final one
update orch.sms_messages
set status = $2::text, dlr_status = $2::text, dlr_received_at = $3, processed_at = now()
where message_id = $1 and (dlr_status is null or dlr_status = 'UNKNOWN')
