-- list_held_charges: charges that wait, in the order they were held
-- A null leaves a filter out. $1 log, $2 after this position, $3 at most, $4 tenant, $5 account,
-- $6 operator, $7 reason.
select
    message_id, tenant_id, account_id, account_tier, operator_id, direction, currency, dlr_status,
    segment_count, charged_at, rated_at, reason, held_at, position
from billing.held_charges
where log_id = $1 and position > $2 and resolved_at is null
    and ($4::uuid is null or tenant_id = $4)
    and ($5::uuid is null or account_id = $5)
    and ($6::uuid is null or operator_id = $6)
    and ($7::text is null or reason = $7)
order by position
limit $3
