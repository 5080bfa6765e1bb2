-- reassess_done: whether the charges of so many changes are assessed again and shown everywhere, and how many
-- $1 changes.
select
    count(*) = $1 and coalesce(
        (
            select count(*) = 3 and min(k.position) >= max(c.advanced_position)
            from eventlog.checkpoint k
            where k.projection in ('billing_events', 'usage_summaries', 'cost_assessments')
        ),
        false
    ),
    coalesce(sum(c.changed_count), 0)::bigint
from billing.cost_changes c
where c.completed_at is not null and c.changed_count > 0
