-- stray_event: an event beyond the head, as no writer leaves it
insert into eventlog.event (
    position, recorded_at, occurred_at, stream_id, event_id, version, log_id, schema_version,
    category, type, principal, content_hash, payload
)
select 4, recorded_at, occurred_at, gen_random_uuid(), gen_random_uuid(), 1, log_id, schema_version,
    category, type, principal, content_hash, payload
from eventlog.event where position = 3
