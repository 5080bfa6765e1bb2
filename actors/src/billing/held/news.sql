-- news: how far the tables are that decide whether a held charge can be rated, and how many wait
-- $1 log. The positions of the last change of prices, costs and accounts, added up: each table is
-- shown at its own pace, and the sum moves whenever one of them does. And the newest held charge.
select
    (
        coalesce((select max(p.changed_position) from billing.pricing_tables p), 0)
        + coalesce((select max(c.changed_position) from billing.operator_costs c), 0)
        + coalesce((select max(a.changed_position) from billing.accounts a), 0)
    ) as changed,
    coalesce((select max(h.position) from billing.held_charges h where h.log_id = $1), 0) as held,
    (
        select count(*) from billing.held_charges h where h.log_id = $1 and h.resolved_at is null
    ) as waiting
