-- list_adjustments: adjustments in the order they were proposed
-- A null leaves a filter out. $1 log, $2 after this position, $3 at most, $4 status, $5 tenant,
-- $6 account, $7 proposed at this time or later, $8 and before this one.
select
    position, adjustment_id, tenant_id, account_id, amount, currency, message_id, status, reason,
    reason_version, proposed_by, proposed_at, decided_by, decided_at, rejection_reason,
    rejection_version, changed_position
from billing.adjustments
where log_id = $1 and position > $2
    and ($4::text is null or status = $4)
    and ($5::uuid is null or tenant_id = $5)
    and ($6::uuid is null or account_id = $6)
    and ($7::timestamptz is null or proposed_at >= $7)
    and ($8::timestamptz is null or proposed_at < $8)
order by position
limit $3
