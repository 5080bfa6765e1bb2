-- news: how far the tables are that decide whether a held charge can be rated, and how many wait
-- $1 log. Positions of the last change of prices, costs and accounts, and of the newest held charge.
select
    greatest(
        (select max(p.changed_position) from billing.pricing_tables p),
        (select max(c.changed_position) from billing.operator_costs c),
        (select max(a.changed_position) from billing.accounts a),
        0
    ) as changed,
    coalesce((select max(h.position) from billing.held_charges h where h.log_id = $1), 0) as held,
    (
        select count(*) from billing.held_charges h where h.log_id = $1 and h.resolved_at is null
    ) as waiting
