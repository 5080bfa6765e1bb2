-- compare_statement_messages: how our messages stand beside the lines about them
-- Answers with the sums of each class by our currency, and with the first differences of each class.
-- A message of several parts has several lines: their segments and costs add up, and its status
-- agrees if one of them has it. Done in parts, by message. $1 upload, $2 which part, $3 of how many,
-- $4 the statement's currency, $5 how many differences of a class.
with ours as (
    select message_id, bool_or(in_period) as in_period, min(operator_message_id) as id,
        min(status) as status, min(segments) as segments, min(cost) as cost,
        min(currency) as currency
    from billing.operator_statement_charges
    where upload = $1 and (hashtextextended(message_id::text, 0) & 1023) % $3::bigint = $2::bigint
    group by message_id
),
matched as (
    select m.message_id, l.line, l.operator_message_id as id, l.status, l.segments, l.cost,
        o.status as our_status
    from billing.operator_statement_matches m
    join billing.operator_statement_lines l on l.upload = m.upload and l.line = m.line
    join ours o on o.message_id = m.message_id
    where m.upload = $1
),
theirs as (
    select message_id, min(line) as line,
        (array_agg(id order by line))[1] as id,
        coalesce(
            min(status) filter (where status = our_status), (array_agg(status order by line))[1]
        ) as status,
        sum(segments)::bigint as segments,
        case when count(cost) = count(*) then sum(cost) end as cost
    from matched
    group by message_id
),
compared as materialized (
    select
        case
            when t.message_id is null then 'ONLY_OURS'
            when t.status <> o.status then 'OTHER_STATUS'
            when t.segments <> o.segments then 'OTHER_SEGMENTS'
            when t.cost is null or t.cost = o.cost and o.currency = $4::text then 'AGREEING'
            else 'OTHER_COST'
        end as class,
        t.line, coalesce(t.id, o.id) as operator_message_id, o.message_id,
        t.status as their_status, t.segments as their_segments, t.cost as their_cost,
        o.status as our_status, o.segments as our_segments, o.cost as our_cost,
        o.currency as our_currency
    from ours o
    left join theirs t on t.message_id = o.message_id
    where o.in_period or t.message_id is not null
),
first as (
    select *, row_number() over (partition by class order by line, message_id) as nth
    from compared
    where class <> 'AGREEING'
)
select true as is_sum, class, null::integer as line, null::text as operator_message_id,
    null::uuid as message_id, null::text as their_status, count(their_status) as their_messages,
    sum(their_segments)::bigint as their_segments, sum(their_cost) as their_cost,
    null::text as our_status, count(*) as our_messages, sum(our_segments)::bigint as our_segments,
    sum(our_cost) as our_cost, our_currency::text
from compared
group by class, our_currency
union all
select false, class, line, operator_message_id, message_id, their_status,
    case when their_status is null then 0 else 1 end, their_segments, their_cost, our_status, 1,
    our_segments, our_cost, our_currency::text
from first
where nth <= $5::bigint
