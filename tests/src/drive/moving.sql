-- moving: how many events some projection has not taken in, how many orphans can be healed but are not, and
-- how many changes of costs are not followed
select
    h.position - coalesce((select min(c.position) from eventlog.checkpoint c), 0) as behind,
    (
        select count(*)
        from dlr.orphaned_receipts o
        where not exists (select from dlr.orphan_resolutions r where r.orphan_id = o.orphan_id)
            and exists (
                select from orch.sms_messages m
                where m.operator_id = o.operator_id
                    and m.enqueued_at between o.received_at - interval '7 days'
                        and o.received_at + interval '1 minute'
                    and (m.operator_message_id = o.operator_message_id
                        or m.message_id = o.message_hint and m.segment_count > 1)
            )
    ) as unhealed,
    (select count(*) from billing.cost_changes c where c.completed_at is null) as unassessed
from eventlog.head h
where h.log_id = 1
