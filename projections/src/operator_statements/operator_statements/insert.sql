-- insert_operator_statements: adds a row per statement that was compared
-- $1 log; per statement: $2 position, $3 statement, $4 carrier, $5 first day, $6 last day, $7 currency,
-- $8 content, $9 SHA-256, $10 lines, $11 sums as JSON, $12 differences as JSON, $13 who, $14 when,
-- $15 when recorded.
insert into billing.operator_statements (
    log_id, position, statement_id, operator_id, first_day, last_day, currency, content, sha256,
    line_count, sums, differences, compared_by, compared_at, created_at
)
select $1, f.position, f.statement_id, f.operator_id, f.first_day, f.last_day, f.currency, f.content,
    f.sha256, f.line_count, f.sums::jsonb, f.differences::jsonb, f.compared_by, f.compared_at,
    f.recorded_at
from unnest(
    $2::bigint[], $3::uuid[], $4::uuid[], $5::date[], $6::date[], $7::text[], $8::text[], $9::text[],
    $10::bigint[], $11::text[], $12::text[], $13::text[], $14::timestamptz[], $15::timestamptz[]
) as f (
    position, statement_id, operator_id, first_day, last_day, currency, content, sha256, line_count,
    sums, differences, compared_by, compared_at, recorded_at
)
on conflict (log_id, position) do nothing
