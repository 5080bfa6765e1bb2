-- list_charge_conflicts: contradictions, in the order they were recorded
-- A null leaves a filter out. $1 log, $2 after this position, $3 at most, $4 tenant, $5 account,
-- $6 recorded from then on, $7 and before then.
select
    position, conflict_id, message_id, differs, recorded_at, source_event_id, tenant_id,
    account_id, operator_id, direction, segment_count, dlr_status, occurred_at, charged_at,
    stated_tier, stated_currency, first_source_event_id, first_tenant_id, first_account_id,
    first_operator_id, first_direction, first_segment_count, first_dlr_status, first_occurred_at,
    first_charged_at, first_stated_tier, first_stated_currency
from billing.charge_conflicts
where log_id = $1 and position > $2
    and ($4::uuid is null or tenant_id = $4)
    and ($5::uuid is null or account_id = $5)
    and ($6::timestamptz is null or recorded_at >= $6)
    and ($7::timestamptz is null or recorded_at < $7)
order by position
limit $3
