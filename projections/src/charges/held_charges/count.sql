-- count_held_charges: how many charges wait
-- A null leaves a filter out. $1 log, $2 tenant, $3 account.
select count(*) as waiting from billing.held_charges
where log_id = $1 and resolved_at is null
    and ($2::uuid is null or tenant_id = $2)
    and ($3::uuid is null or account_id = $3)
