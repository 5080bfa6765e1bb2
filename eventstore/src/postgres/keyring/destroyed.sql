-- read_destroyed_keys: the data keys that were destroyed lately
-- An hour is far more than passes between two looks; whoever was away longer has nothing in memory.
select key_id from eventlog.destroyed_key where destroyed_at > now() - interval '1 hour'
