-- find_exchange_rate_by_request: the first version of an exchange rate that a request opened
-- $1 request.
select
    exchange_rate_id, base_currency, quote_currency, rate,
    effective_from, effective_to, created_by, created_at, closed_by, position, changed_position, request
from billing.exchange_rates
where request = $1 order by log_id, position limit 1
