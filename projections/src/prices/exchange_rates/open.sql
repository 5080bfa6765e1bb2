-- open_exchange_rates: adds a row per version of an exchange rate
-- $1 log; per version: $2 position, $3 version, $4 base, $5 quote, $6 rate, $7 beginning, $8 end,
-- $9 who opened it, $10 when, $11 who closed it, $12 position of the last change, $13 request.
insert into billing.exchange_rates (
    log_id, position, exchange_rate_id, base_currency, quote_currency, rate, effective_from,
    effective_to, created_by, created_at, closed_by, changed_position, request
)
select $1, f.position, f.version, f.base, f.quote, f.rate, f.begins, f.ends, f.opened_by,
    f.opened_at, f.closed_by, f.changed, f.request
from unnest(
    $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::numeric[], $7::timestamptz[],
    $8::timestamptz[], $9::text[], $10::timestamptz[], $11::text[], $12::bigint[], $13::uuid[]
) as f (
    position, version, base, quote, rate, begins, ends, opened_by, opened_at, closed_by, changed,
    request
)
on conflict (exchange_rate_id, log_id) do nothing
