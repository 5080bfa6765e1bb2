-- append_by_hand: one event through eventlog.append, past every check of our own code
-- $1 stream, $2 its version so far; the event's $3 id, $4 type, $5 schema version, $6 payload.
select head_before
from eventlog.append(
    1::smallint,
    array['message'], array[$1::uuid], array[$2::integer],
    '{}', '{}', '{}', '{}', '{}',
    array[1], array[$3::uuid], array[$4::text], array[$5::smallint],
    array[null]::uuid[], array[null]::uuid[],
    array['2026-01-01 00:00:00+00'::timestamptz], array[null]::uuid[], array[null]::text[],
    array['by hand'], array['\x00'::bytea], array[$6::text], array[null]::text[]
)
