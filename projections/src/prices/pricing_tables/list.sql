-- list_pricing_tables: versions of prices, in the order they were opened
-- A null leaves a filter out. $1 log, $2 after this position, $3 at most, $4 tenant, $5 whether
-- only the platform's, $6 tier, $7 operator, $8 direction, $9 currency, $10 in effect at.
select
    pricing_table_id, tenant_id, account_tier, operator_id, direction, currency, pricing_model,
    unit_price, billable_statuses, effective_from, effective_to, created_by, created_at, closed_by,
    position, changed_position, request
from billing.pricing_tables
where log_id = $1 and position > $2
    and ($4::uuid is null or tenant_id = $4)
    and (not $5::boolean or tenant_id is null)
    and ($6::text is null or account_tier = $6)
    and ($7::uuid is null or operator_id = $7)
    and ($8::text is null or direction = $8)
    and ($9::text is null or currency = $9)
    and ($10::timestamptz is null
        or (effective_from <= $10 and (effective_to is null or $10 < effective_to)))
order by position
limit $3
