-- replace_account_versions: notes which versions gave their place to one of the same beginning
-- Only forward in the log. $1 log; per new version: $2 account, $3 when it begins, $4 its position.
update billing.account_versions v set replaced_position = f.position
from unnest($2::uuid[], $3::timestamptz[], $4::bigint[]) as f (account_id, begins, position)
where v.log_id = $1 and v.account_id = f.account_id and v.effective_from = f.begins
    and v.replaced_position is null and v.position < f.position
