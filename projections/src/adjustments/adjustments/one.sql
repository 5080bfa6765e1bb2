-- find_adjustment: an adjustment, whosever it is
-- $1 log, $2 adjustment.
select
    position, adjustment_id, tenant_id, account_id, amount, currency, message_id, status, reason,
    reason_version, proposed_by, proposed_at, decided_by, decided_at, rejection_reason,
    rejection_version, changed_position
from billing.adjustments
where log_id = $1 and adjustment_id = $2
