-- open_values: how many values are sealed for a tenant, and of how many the key is left
-- $1 log, $2 pseudonym. A key of the tenant counts even if nothing is sealed under it.
select
    count(s.key_id),
    count(k.key_id) + (select count(*) from eventlog.data_key t where t.tenant = $2)
from (
    select split_part(v.value, '.', 1)::bigint as key_id
    from eventlog.event e
    cross join lateral json_each_text(e.sealed) v
    where e.log_id = $1 and e.tenant = $2 and e.sealed is not null
) s
left join eventlog.data_key k on k.key_id = s.key_id
