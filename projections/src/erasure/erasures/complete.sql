-- complete_erasures: says of tenants since when they are erased
-- $1 log; per tenant: $2 pseudonym, $3 when.
update billing.erasures e
set erased_at = f.erased_at
from unnest($2::uuid[], $3::timestamptz[]) as f (pseudonym, erased_at)
where e.log_id = $1 and e.pseudonym = f.pseudonym
