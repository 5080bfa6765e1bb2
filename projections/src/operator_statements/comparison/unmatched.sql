-- compare_unmatched_statement_lines: lines about no message of ours
-- Answers with the sums of each class, and with the first of each class: those of an id that stands in
-- an earlier line, and all others. Done in parts, by id. $1 upload, $2 which part, $3 of how many,
-- $4 how many of a class.
with line as (
    select line, operator_message_id, status, segments, cost,
        row_number() over (partition by operator_message_id order by line) as nth
    from billing.operator_statement_lines
    where upload = $1 and (hashtextextended(operator_message_id, 0) & 1023) % $3::bigint = $2::bigint
),
unmatched as materialized (
    select case when nth > 1 then 'REPEATED' else 'ONLY_THEIRS' end as class, line,
        operator_message_id, status, segments, cost
    from line
    where not exists (
        select from billing.operator_statement_matches m
        where m.upload = $1 and m.line = line.line
    )
),
first as (
    select *, row_number() over (partition by class order by line) as nth
    from unmatched
)
select true as is_sum, class, null::integer as line, null::text as operator_message_id,
    null::uuid as message_id, null::text as their_status, count(*) as their_messages,
    sum(segments)::bigint as their_segments, sum(cost) as their_cost, null::text as our_status,
    0::bigint as our_messages, 0::bigint as our_segments, null::numeric as our_cost,
    null::text as our_currency
from unmatched
group by class
union all
select false, class, line, operator_message_id, null, status, 1, segments, cost, null, 0, 0, null,
    null
from first
where nth <= $4::bigint
