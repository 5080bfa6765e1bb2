-- read_keys_to_rewrap: the next data keys that an older version of the master key wraps
-- $1 the version that is to wrap them, $2 the number of the key before, $3 how many at most.
select k.key_id, k.wrapped, k.master_key, k.tenant, k.day
from eventlog.data_key k
where k.master_key < $1 and k.key_id > $2
order by k.key_id
limit $3
