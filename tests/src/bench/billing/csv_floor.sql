-- csv_floor: every charge of an account as CSV, as Postgres itself writes it
-- The account is put in the place of {account}: COPY takes no parameters.
copy (
    select message_id, tenant_id, account_id, operator_id, direction, segment_count, dlr_status,
        charged_at, rated_at, created_at, account_tier, billed, customer_price, currency
    from billing.billing_events
    where account_id = '{account}' and tenant_id = '{tenant}'
    order by rated_at, position
) to stdout (format csv)
