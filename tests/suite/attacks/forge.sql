-- forge: an event at the end of the log, without append
insert into eventlog.event (
    position, recorded_at, occurred_at, stream_id, event_id, version, log_id, schema_version,
    category, type, principal, recorded_by, content_hash, payload
)
values (
    2, clock_timestamp(), clock_timestamp(), gen_random_uuid(), gen_random_uuid(), 1, 1, 1,
    'message', 'MessageSettled', 'dlr', 'dlr_svc', '\x00', '{}'
)
