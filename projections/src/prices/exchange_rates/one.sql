-- find_exchange_rate: a version of an exchange rate
-- $1 version.
select
    exchange_rate_id, base_currency, quote_currency, rate,
    effective_from, effective_to, created_by, created_at, closed_by, position, changed_position, request
from billing.exchange_rates
where exchange_rate_id = $1
