-- find_paid_currency: whether anything was ever charged on an account in a currency
-- $1 tenant, $2 account, $3 currency.
select exists (
    select from billing.usage_days
    where tenant_id = $1 and account_id = $2 and currency = $3
) as paid
