-- resolve_held_charges: notes when held charges were charged after all
-- $1 log; per charge: $2 message, $3 when.
update billing.held_charges h set resolved_at = f.resolved_at
from unnest($2::uuid[], $3::timestamptz[]) as f (message_id, resolved_at)
where h.message_id = f.message_id and h.log_id = $1 and h.resolved_at is null
