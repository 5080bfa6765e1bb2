-- sum_held_charges: how many charges wait, and how many segments, by what they wait for
-- A null leaves a filter out. $1 log, $2 tenant, $3 account, $4 operator, $5 reason.
select reason, count(*) as messages, sum(segment_count)::bigint as segments
from billing.held_charges
where log_id = $1 and resolved_at is null
    and ($2::uuid is null or tenant_id = $2)
    and ($3::uuid is null or account_id = $3)
    and ($4::uuid is null or operator_id = $4)
    and ($5::text is null or reason = $5)
group by reason
order by reason
