-- read_held_news: how far the tables are that decide whether a held charge can be rated
-- $1 log. The last changes of prices, costs and accounts, added up: each table is shown at its own
-- pace, and the sum moves whenever one of them does. The newest held charge, the newest resolution.
-- And up to where all four tables show the log. Each is one look into an index.
select
    coalesce((
        select p.changed_position from billing.pricing_tables p
        where p.log_id = $1 order by p.changed_position desc limit 1
    ), 0)
    + coalesce((
        select c.changed_position from billing.operator_costs c
        where c.log_id = $1 order by c.changed_position desc limit 1
    ), 0)
    + coalesce((
        select a.changed_position from billing.accounts a
        where a.log_id = $1 order by a.changed_position desc limit 1
    ), 0) as changed,
    coalesce((
        select h.position from billing.held_charges h
        where h.log_id = $1 order by h.position desc limit 1
    ), 0) as held,
    (
        select h.resolved_at from billing.held_charges h
        where h.log_id = $1 and h.resolved_at is not null order by h.resolved_at desc limit 1
    ) as resolved,
    (
        select case when count(*) = 4 then min(c.position) else 0 end
        from eventlog.checkpoint c
        where c.log_id = $1
            and c.projection in ('pricing_tables', 'operator_costs', 'accounts', 'held_charges')
    ) as shown
