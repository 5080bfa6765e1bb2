-- read_master_keys: every version of the master key that was used here
-- Its check value (null if nobody kept one), how many data keys are wrapped by it, and until when it
-- is needed to know erased tenants again: receipts of theirs may come for thirty days (null if none).
select
    coalesce(m.version, k.master_key), m.check_value, coalesce(k.data_keys, 0),
    e.erased_last + interval '30 days'
from eventlog.master_key m
full join (
    select master_key, count(*) as data_keys from eventlog.data_key group by master_key
) k on k.master_key = m.version
left join (
    select master_key, max(erased_at) as erased_last
    from eventlog.erased_tenant group by master_key
) e on e.master_key = coalesce(m.version, k.master_key)
