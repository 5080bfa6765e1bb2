-- floor_copy: many events into the plain table
copy floor.event (
    occurred_at, stream_id, event_id, tenant, account, cause, version, log_id, schema_version,
    category, type, principal, trace, content_hash, payload, sealed
)
from stdin (format binary)
