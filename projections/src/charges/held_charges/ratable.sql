-- list_ratable_charges: held charges that a price of today's tables covers, oldest first
-- $1 log, $2 after this position, $3 at most so many. A hint: whether one can be rated is decided
-- with the log. The payer is the account as it is registered for the time that a price is sought
-- for, else as it was when held; nobody pays on another tenant's account. What has too many segments
-- is never ratable.
select h.position, h.message_id
from billing.held_charges h
left join billing.accounts a on a.log_id = h.log_id and a.account_id = h.account_id
left join lateral (
    select w.account_tier, w.currency from billing.account_versions w
    where w.log_id = h.log_id and w.account_id = h.account_id and w.replaced_position is null
        and w.effective_from <= h.rated_at
    order by w.effective_from desc
    limit 1
) v on true
where h.log_id = $1 and h.resolved_at is null and h.position > $2
    and h.reason <> 'SEGMENTS_OUT_OF_RANGE'
    and (a.account_id is null or a.tenant_id = h.tenant_id)
    and exists (
        select from billing.pricing_tables p
        where (p.tenant_id = h.tenant_id or p.tenant_id is null)
            and p.account_tier = coalesce(v.account_tier, h.account_tier)
            and p.currency = coalesce(v.currency, h.currency)
            and p.operator_id = h.operator_id and p.direction = h.direction
            and p.effective_from <= h.rated_at
            and (p.effective_to is null or h.rated_at < p.effective_to)
    )
order by h.position
limit $3
