-- uneven: two appends whose events are not told one by one, in their order
-- $1 and $2 streams, $3 which append each event belongs to; there are always two events.
select head_before
from eventlog.append(
    1::smallint, array['message', 'message'], array[$1::uuid, $2::uuid], array[0, 0],
    '{}', '{}', '{}', '{}', '{}',
    $3::integer[], array[gen_random_uuid(), gen_random_uuid()],
    array['MessageSettled', 'MessageSettled'],
    array[1, 1]::smallint[], array[null, null]::uuid[], array[null, null]::uuid[],
    array[now(), now()], array[null, null]::uuid[], array[null, null]::text[],
    array['a', 'a'], array['\x00', '\x01']::bytea[], array['{}', '{}'], array[null, null]::text[]
)
