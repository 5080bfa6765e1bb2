-- list_approved_adjustments: what counts for an account, in the order it was approved
-- A null leaves a filter out. $1 log, $2 after this position of approval, $3 at most, $4 tenant,
-- $5 account, $6 approved at this time or later, $7 and before this one.
select
    position, adjustment_id, tenant_id, account_id, amount, currency, message_id, status, reason,
    reason_version, proposed_by, proposed_at, decided_by, decided_at, rejection_reason,
    rejection_version, changed_position
from billing.adjustments
where log_id = $1 and changed_position > $2
    and tenant_id = $4 and account_id = $5 and status = 'APPROVED'
    and ($6::timestamptz is null or decided_at >= $6)
    and ($7::timestamptz is null or decided_at < $7)
order by changed_position
limit $3
