-- find_messages: the message of each receipt, numbered from 1 in the order asked
-- $1 operators, $2 operator message ids, $3 hinted message ids or null, $4 and $5 the times between
-- which the message must have been handed in. The orchestrator writes operators as text: first the
-- usual spelling is looked up, then, where it finds nothing, the others of the same id; the limits
-- make each an index scan. A hint counts only where the row agrees with the receipt in operator and,
-- where it has one, in operator message id; a message of several segments has more of those than
-- its row can name. A row that lacks what settling takes is not there yet: the orchestrator is
-- still writing it, or must mend it. The table is another team's, who may alter a column's type at
-- any time: each is cast to what we read, so that the type of the answer never changes.
select
    r.n, m.message_id::uuid, m.tenant_id::uuid, m.account_id::uuid, m.to_msisdn::text,
    m.segment_count::smallint, m.metadata::text, m.enqueued_at::timestamptz
from unnest($1::uuid[], $2::text[], $3::uuid[], $4::timestamptz[], $5::timestamptz[])
    with ordinality as r (operator_id, operator_message_id, hint, earliest, latest, n)
cross join lateral (
    select r.operator_id::text as hyphened, replace(r.operator_id::text, '-', '') as plain
) s
left join lateral (
    select o.message_id
    from orch.sms_messages o
    where o.operator_id = s.hyphened
        and o.operator_message_id = r.operator_message_id
        and o.enqueued_at between r.earliest and r.latest
    order by o.enqueued_at desc
    limit 1
) usual on true
left join lateral (
    select o.message_id
    from orch.sms_messages o
    where usual.message_id is null
        and o.operator_id = any (array[
            upper(s.hyphened), s.plain, upper(s.plain),
            '{' || s.hyphened || '}', '{' || upper(s.hyphened) || '}',
            '{' || s.plain || '}', '{' || upper(s.plain) || '}'
        ])
        and o.operator_message_id = r.operator_message_id
        and o.enqueued_at between r.earliest and r.latest
    order by o.enqueued_at desc
    limit 1
) other on true
cross join lateral (
    select o.message_id, o.tenant_id, o.account_id, o.to_msisdn, o.segment_count, o.metadata,
        o.enqueued_at
    from orch.sms_messages o
    where o.message_id = coalesce(usual.message_id, other.message_id, r.hint)
        and o.enqueued_at between r.earliest and r.latest
        and (o.operator_id = s.hyphened or translate(lower(o.operator_id), '{}-', '') = s.plain)
        and (o.operator_message_id is null
            or o.operator_message_id = r.operator_message_id
            or o.segment_count > 1)
        and o.tenant_id is not null and o.account_id is not null and o.to_msisdn is not null
        and o.segment_count between 1 and 32767
    limit 1
) m
