-- stray_event: an event beyond the head, as no writer leaves it
insert into eventlog.event
select 4, recorded_at, occurred_at, gen_random_uuid(), gen_random_uuid(), tenant, account, cause, 1,
    log_id, schema_version, category, type, principal, trace, content_hash, payload, sealed
from eventlog.event where position = 3
