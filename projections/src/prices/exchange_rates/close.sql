-- close_exchange_rates: gives versions of an exchange rate their end
-- Only forward in the log: what a later event changed stays. $1 log; per version: $2 version, $3 end,
-- $4 who closed it, $5 position.
update billing.exchange_rates v
set effective_to = f.ends, closed_by = f.closed_by, changed_position = f.position
from unnest($2::uuid[], $3::timestamptz[], $4::text[], $5::bigint[])
    as f (version, ends, closed_by, position)
where v.exchange_rate_id = f.version and v.log_id = $1 and v.changed_position < f.position
