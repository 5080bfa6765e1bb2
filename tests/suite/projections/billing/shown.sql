-- shown: every table that the projections of billing fill, as a line each; null if it is empty
select array[
    (select count(*) || md5(string_agg(t::text, '|' order by position))
        from billing.billing_events t),
    (select count(*) || md5(string_agg(t::text, '|' order by t::text))
        from billing.usage_summaries t),
    (select count(*) || md5(string_agg(t::text, '|' order by t::text))
        from billing.usage_days t),
    (select count(*) || md5(string_agg(t::text, '|' order by t::text))
        from billing.usage_counted t),
    (select count(*) || md5(string_agg(t::text, '|' order by position))
        from billing.pricing_tables t),
    (select count(*) || md5(string_agg(t::text, '|' order by position))
        from billing.operator_costs t),
    (select count(*) || md5(string_agg(t::text, '|' order by position))
        from billing.accounts t),
    (select count(*) || md5(string_agg(t::text, '|' order by position))
        from billing.held_charges t)
]
