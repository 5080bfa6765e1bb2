-- read_master_keys: every version of the master key that was used here
-- Its check value (null if nobody kept one), and how many data keys are wrapped by it.
select
    coalesce(m.version, k.master_key), m.check_value, coalesce(k.data_keys, 0)
from eventlog.master_key m
full join (
    select master_key, count(*) as data_keys from eventlog.data_key group by master_key
) k on k.master_key = m.version
