-- find: the message of each receipt, numbered from 1 in the order asked
-- $1 operator ids, $2 operator message ids, $3 hinted message ids or null. The limits make it one
-- index scan each. A row that lacks what settling takes is not there yet: the orchestrator is still
-- writing it, or must mend it. The table is another team's, who may alter a column's type at any
-- time: each is cast to what we read, so that the type of the answer never changes.
select
    r.n, m.message_id::uuid, m.tenant_id::uuid, m.account_id::uuid, m.to_msisdn::text,
    m.segment_count::smallint, m.metadata::text
from unnest($1::text[], $2::text[], $3::uuid[])
    with ordinality as r (operator_id, operator_message_id, hint, n)
left join lateral (
    select o.message_id
    from orch.sms_messages o
    where o.operator_id = r.operator_id and o.operator_message_id = r.operator_message_id
    order by o.enqueued_at desc nulls last
    limit 1
) named on true
cross join lateral (
    select o.message_id, o.tenant_id, o.account_id, o.to_msisdn, o.segment_count, o.metadata
    from orch.sms_messages o
    where o.message_id = coalesce(named.message_id, r.hint)
        and o.tenant_id is not null and o.account_id is not null and o.to_msisdn is not null
        and o.segment_count between 1 and 10
    limit 1
) m
