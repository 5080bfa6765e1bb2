-- find_held_charge: the charge of a message that waits, or once waited
-- $1 log, $2 message.
select
    message_id, tenant_id, account_id, account_tier, operator_id, direction, currency, dlr_status,
    segment_count, charged_at, rated_at, reason, held_at, position
from billing.held_charges
where log_id = $1 and message_id = $2
