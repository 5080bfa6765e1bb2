-- read_cost_changes_pending: the oldest changes whose charges are not all assessed again
-- One row at least: the version of the stream of assessments, how many changes wait, and up to where
-- all tables that this rests on are shown. Changes are told once these show every charge before the
-- last of them and every assessment so far. $1 log, $2 at most.
select s.version, s.waiting, s.shown, c.position, c.operator_id, c.direction, c.base_currency,
    c.quote_currency, c.effective_from, c.effective_to, c.examined_count, c.changed_count,
    c.through_operator_id, c.through_rated_at, c.through_position,
    c.through_position is not null or exists (
        select from billing.billing_events b
        where b.operator_id = c.operator_id and b.rated_at >= c.effective_from
            and b.rated_at < coalesce(c.effective_to, 'infinity')
            and b.log_id = $1 and b.direction = c.direction and b.position < c.position
    ) or exists (
        select from (
            select distinct o.operator_id from billing.operator_costs o
            where o.log_id = $1 and o.currency = c.base_currency
        ) o
        join billing.billing_events b on b.operator_id = o.operator_id
        where b.rated_at >= c.effective_from
            and b.rated_at < coalesce(c.effective_to, 'infinity')
            and b.log_id = $1 and b.currency = c.quote_currency and b.position < c.position
    ) as concerns
from (
    select
        coalesce((
            select a.advanced_version from billing.cost_changes a
            where a.log_id = $1 and a.advanced_position is not null
            order by a.advanced_position desc limit 1
        ), 0) as version,
        coalesce((
            select a.advanced_position from billing.cost_changes a
            where a.log_id = $1 and a.advanced_position is not null
            order by a.advanced_position desc limit 1
        ), 0) as advanced,
        (
            select count(*) from billing.cost_changes w
            where w.log_id = $1 and w.completed_at is null
        ) as waiting,
        (
            select case when count(*) = 3 then min(k.position) else 0 end
            from eventlog.checkpoint k
            where k.log_id = $1
                and k.projection in ('billing_events', 'operator_costs', 'cost_changes')
        ) as shown
) s
left join lateral (
    select p.* from billing.cost_changes p
    where p.log_id = $1 and p.completed_at is null and p.position <= s.shown
    order by p.position limit $2
) c on s.advanced <= s.shown
order by c.position
