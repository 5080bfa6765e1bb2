-- plant: an event in a stream of its own at the end of the log, past every check
-- $1 type, $2 schema version, $3 payload. Answers with its position.
with next as (
    select position + 1 as position from eventlog.head where log_id = 1
)
insert into eventlog.event (
    position, recorded_at, occurred_at, stream_id, event_id, version, log_id, schema_version,
    category, type, principal, content_hash, payload
)
select position, clock_timestamp(), clock_timestamp(), gen_random_uuid(), gen_random_uuid(), 1, 1,
    $2::smallint, 'message', $1::text, 'planted', '\x00', $3::text::json
from next
returning position
