-- match_statement_lines: finds which line is about which message of ours
-- By the carrier's id. A carrier uses its ids again: the first line of an id is about the first message
-- that had it, the second about the second; those within the statement's days come first. Done in
-- parts, by id. $1 upload, $2 which part, $3 of how many.
with line as (
    select line, operator_message_id,
        row_number() over (partition by operator_message_id order by line) as nth
    from billing.operator_statement_lines
    where upload = $1 and (hashtextextended(operator_message_id, 0) & 1023) % $3::bigint = $2::bigint
),
charge as (
    select message_id, operator_message_id,
        row_number() over (
            partition by operator_message_id order by in_period desc, rated_at, message_id
        ) as nth
    from billing.operator_statement_charges
    where upload = $1 and operator_message_id is not null
        and (hashtextextended(operator_message_id, 0) & 1023) % $3::bigint = $2::bigint
)
insert into billing.operator_statement_matches (upload, line, message_id)
select $1::uuid, line.line, charge.message_id
from line join charge using (operator_message_id, nth)
