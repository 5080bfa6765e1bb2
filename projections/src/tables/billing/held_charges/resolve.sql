-- resolve: notes when held charges were charged after all
-- $1 message, $2 when.
update billing.held_charges h set resolved_at = f.resolved_at
from unnest($1::uuid[], $2::timestamptz[]) as f (message_id, resolved_at)
where h.message_id = f.message_id and h.resolved_at is null
