-- list: charges that wait, in the order they were held
-- A null leaves a filter out. $1 log, $2 after this position, $3 at most, $4 tenant, $5 account.
select * from billing.held_charges
where log_id = $1 and position > $2 and resolved_at is null
    and ($4::uuid is null or tenant_id = $4)
    and ($5::uuid is null or account_id = $5)
order by position
limit $3
