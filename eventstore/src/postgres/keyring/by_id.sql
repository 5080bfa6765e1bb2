-- read_keys: the data keys under these numbers, with what they are for
-- $1 key ids.
select k.key_id, k.wrapped, k.master_key, k.tenant, k.day
from eventlog.data_key k
where k.key_id = any($1)
