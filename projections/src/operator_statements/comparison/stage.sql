-- stage_statement_lines: puts lines of a statement about messages where they are compared
-- $1 upload; per line: $2 its number, $3 the carrier's id, $4 status, $5 segments, $6 cost.
insert into billing.operator_statement_lines (
    upload, line, operator_message_id, status, segments, cost
)
select $1, f.line, f.operator_message_id, f.status, f.segments, f.cost
from unnest($2::integer[], $3::text[], $4::text[], $5::bigint[], $6::numeric[])
    as f (line, operator_message_id, status, segments, cost)
