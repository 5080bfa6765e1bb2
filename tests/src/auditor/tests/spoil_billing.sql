-- spoil billing: one wrong row in each table, and a billing name that anybody can read
update billing.billing_events
set customer_price = customer_price + 0.000001, margin = margin + 0.000001
where position = (select min(position) from billing.billing_events);
update billing.held_charges
set resolved_at = null
where position = (select min(position) from billing.held_charges where resolved_at is not null);
update billing.usage_summaries
set message_count = message_count + 1
where (tenant_id, account_id, hour, currency, operator_id) = (
    select tenant_id, account_id, hour, currency, operator_id
    from billing.usage_summaries order by 1, 2, 3, 4, 5 limit 1
);
update billing.pricing_tables
set unit_price = unit_price + 0.000001
where position = (select min(position) from billing.pricing_tables);
update billing.account_versions
set account_tier = 'CUSTOM', legal_name = 'tb-private Trading'
where position = (
    select min(position) from billing.account_versions where account_tier <> 'CUSTOM'
);
update billing.access_log
set calls = calls + 1
where position = (select min(position) from billing.access_log);
