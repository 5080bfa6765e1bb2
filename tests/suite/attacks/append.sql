-- append: one event through eventlog.append, as whoever is logged in
-- The stream's $1 category and $2 id; the event's $3 type, $4 schema version, $5 principal; $6 category
-- and $7 id of the stream it guards, at version 0.
select head_before, verdict, detail
from eventlog.append(
    1::smallint,
    array[$1::text], array[$2::uuid], array[0],
    array_remove(array[$6::text], null), array_remove(array[$7::uuid], null),
    case when $6 is null then '{}'::integer[] else array[0] end,
    case when $6 is null then '{}'::integer[] else array[1] end,
    case when $6 is null then '{}'::integer[] else array[1] end,
    array[1], array[gen_random_uuid()], array[$3::text], array[$4::smallint],
    array[null]::uuid[], array[null]::uuid[],
    array['2026-01-01 00:00:00+00'::timestamptz], array[null]::uuid[], array[null]::text[],
    array[$5::text], array['\x00'::bytea], array['{}'], array[null]::text[]
)
