-- insert_account_versions: adds a row per version of an account, with its tenant
-- An erased tenant stays the pseudonym it is in the log. $1 log; per version: $2 position,
-- $3 tenant's pseudonym, $4 account, $5 when it begins, $6 tier, $7 currency, $8 days to pay,
-- $9 language, $10 to $12 tax: category, rate, country, $13 to $17 name, contact, address, VAT id
-- and order, sealed, $18 the version they were sealed in, $19 who told it, $20 when,
-- $21 position of the version that took its place, if one of the same batch did.
insert into billing.account_versions (
    log_id, position, tenant_id, account_id, effective_from, account_tier, currency,
    payment_terms_days, invoice_language, tax_category, tax_rate, tax_country, legal_name,
    contact_name, billing_address, vat_id, purchase_order, sealed_version, created_by, created_at,
    replaced_position
)
select $1, f.position, coalesce(t.tenant_id, f.tenant), f.account_id, f.begins, f.tier, f.currency,
    f.days, f.language, f.category, f.rate, f.country, f.legal_name, f.contact_name, f.address,
    f.vat_id, f.purchase_order, f.sealed_version, f.told_by, f.told_at, f.replaced
from unnest(
    $2::bigint[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::text[], $7::text[],
    $8::smallint[], $9::text[], $10::text[], $11::numeric[], $12::text[], $13::text[], $14::text[],
    $15::text[], $16::text[], $17::text[], $18::integer[], $19::text[], $20::timestamptz[],
    $21::bigint[]
) as f (
    position, tenant, account_id, begins, tier, currency, days, language, category, rate, country,
    legal_name, contact_name, address, vat_id, purchase_order, sealed_version, told_by, told_at,
    replaced
)
left join eventlog.tenant t on t.pseudonym = f.tenant
on conflict (log_id, position) do nothing
