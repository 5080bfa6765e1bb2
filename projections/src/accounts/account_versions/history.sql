-- list_account_versions: all that was told of an account, in the order it was told
-- $1 log, $2 account, $3 after this position, $4 at most.
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
from billing.account_versions v
join billing.accounts a on a.log_id = v.log_id and a.account_id = v.account_id
where v.log_id = $1 and v.account_id = $2 and v.position > $3
order by v.position
limit $4
