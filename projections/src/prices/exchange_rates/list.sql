-- list_exchange_rates: versions of exchange rates, in the order they were opened
-- A null leaves a filter out. $1 log, $2 after this position, $3 at most, $4 base,
-- $5 quote, $6 in effect at.
select
    exchange_rate_id, base_currency, quote_currency, rate,
    effective_from, effective_to, created_by, created_at, closed_by, position, changed_position, request
from billing.exchange_rates
where log_id = $1 and position > $2
    and ($4::text is null or base_currency = $4)
    and ($5::text is null or quote_currency = $5)
    and ($6::timestamptz is null
        or (effective_from <= $6 and (effective_to is null or $6 < effective_to)))
order by position
limit $3
