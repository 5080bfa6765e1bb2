-- floor_insert: one event into the plain table
-- The columns are those of floor_copy, in its order.
insert into floor.event (
    occurred_at, stream_id, event_id, tenant, account, cause, version, log_id, schema_version,
    category, type, principal, trace, content_hash, payload, sealed
)
values (
    $1, $2, $3, $4, $5, $6, $7, $8, $9,
    $10, $11, $12, $13, $14, $15::text::json, $16::text::json
)
