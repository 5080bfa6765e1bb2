-- account_version_row: a version of an account of a tenant
-- $1 position, $2 an id, $3 tenant.
insert into billing.account_versions (
    log_id, position, tenant_id, account_id, effective_from, account_tier, currency,
    payment_terms_days, invoice_language, tax_category, tax_rate, tax_country, sealed_version,
    created_by, created_at
)
values (1, $1, $3, $2, now(), 'GROWTH', 'EUR', 30, 'en', 'S', 19, 'DE', 1, 'test', now())
