-- auditor account versions
-- Every version of an account as the projection shows it.
SELECT position, tenant_id, account_id, effective_from, account_tier, currency::text,
    invoice_language, tax_category, tax_rate::text, tax_country::text, payment_terms_days,
    created_by, created_at, replaced_position
FROM billing.account_versions
WHERE log_id = $1
