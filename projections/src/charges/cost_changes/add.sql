-- add_cost_changes: adds a row per version of a cost or an exchange rate that was opened or closed
-- What a closed one was for, and which end it had, is said by the row before of the same version:
-- in the batch, or in the table. $1 log; per change: $2 position, $3 version, $4 operator and
-- $5 direction, or $6 base and $7 quote, of one that was opened; $8 its beginning, $9 its end,
-- $10 when recorded.
insert into billing.cost_changes (
    log_id, position, version_id, operator_id, direction, base_currency, quote_currency,
    effective_from, effective_to, ends, created_at
)
select $1, f.position, f.version, coalesce(f.operator_id, c.operator_id),
    coalesce(f.direction, c.direction), coalesce(f.base, c.base_currency),
    coalesce(f.quote, c.quote_currency), coalesce(f.begins, f.ends),
    case
        when f.begins is not null then f.ends
        when f.number > 1 then f.ended
        else c.ends
    end,
    f.ends, f.recorded_at
from (
    select u.position, u.version, u.begins, u.ends, u.recorded_at,
        first_value(u.operator_id) over version as operator_id,
        first_value(u.direction) over version as direction,
        first_value(u.base) over version as base, first_value(u.quote) over version as quote,
        lag(u.ends) over version as ended, row_number() over version as number
    from unnest(
        $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[],
        $8::timestamptz[], $9::timestamptz[], $10::timestamptz[]
    ) as u (position, version, operator_id, direction, base, quote, begins, ends, recorded_at)
    window version as (partition by u.version order by u.position)
) f
left join lateral (
    select p.operator_id, p.direction, p.base_currency, p.quote_currency, p.ends
    from billing.cost_changes p
    where p.log_id = $1 and p.version_id = f.version and p.position < f.position
    order by p.position desc limit 1
) c on f.begins is null
on conflict (log_id, position) do nothing
