-- read_keys_of_day: the data keys of a day, in the order they were made
-- $1 day. As a rule there is one.
select key_id, wrapped, master_key from eventlog.data_key where day = $1 order by number
