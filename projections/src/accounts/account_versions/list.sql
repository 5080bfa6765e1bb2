-- list_accounts: accounts that are something at a time, in the order they were registered
-- A null leaves a filter out. $1 log, $2 registered after this position, $3 at most, $4 when,
-- $5 tenant, $6 tier at that time.
select
    v.account_id, v.tenant_id, v.effective_from, v.account_tier, v.currency, v.payment_terms_days,
    v.invoice_language, v.tax_category, v.tax_rate, v.tax_country, v.legal_name, v.contact_name,
    v.billing_address, v.vat_id, v.purchase_order, v.sealed_version, v.created_by, v.created_at,
    v.position, v.replaced_position is not null as replaced, a.position as registered_position,
    a.changed_position,
    (
        select n.effective_from from billing.account_versions n
        where n.log_id = v.log_id and n.account_id = v.account_id
            and n.replaced_position is null and v.replaced_position is null
            and n.effective_from > v.effective_from
        order by n.effective_from limit 1
    ) as effective_to
from billing.accounts a
cross join lateral (
    select * from billing.account_versions w
    where w.log_id = a.log_id and w.account_id = a.account_id and w.replaced_position is null
        and w.effective_from <= $4
    order by w.effective_from desc
    limit 1
) v
where a.log_id = $1 and a.position > $2
    and ($5::uuid is null or a.tenant_id = $5)
    and ($6::text is null or v.account_tier = $6)
order by a.position
limit $3
