-- snapshot_append: one event in a stream of its own
select head_before
from eventlog.append(
    1::smallint, array['message'], array[gen_random_uuid()], array[0],
    '{}', '{}', '{}', '{}', '{}',
    array[1], array[gen_random_uuid()], array['MessageSettled'], array[1]::smallint[],
    array[null]::uuid[], array[null]::uuid[], array[now()], array[null]::uuid[],
    array[null]::text[], array['dlr'], array['\x00'::bytea], array['{}'], array[null]::text[]
)
