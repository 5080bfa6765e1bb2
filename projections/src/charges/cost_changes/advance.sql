-- advance_cost_changes: notes how far the charges that changes concern are assessed again
-- Only forward in the log. $1 log; per change: $2 its position, $3 position of the event, $4 version
-- of its stream, $5 charges examined, $6 changed; of the last one looked at $7 operator, $8 time and
-- $9 position, nothing once all are done; $10 when recorded.
update billing.cost_changes c
set examined_count = f.examined, changed_count = f.changed, through_operator_id = f.operator_id,
    through_rated_at = f.rated_at, through_position = f.through, advanced_position = f.position,
    advanced_version = f.version,
    completed_at = case when f.through is null then f.recorded_at end
from unnest(
    $2::bigint[], $3::bigint[], $4::integer[], $5::bigint[], $6::bigint[], $7::uuid[],
    $8::timestamptz[], $9::bigint[], $10::timestamptz[]
) as f (
    cause, position, version, examined, changed, operator_id, rated_at, through, recorded_at
)
where c.log_id = $1 and c.position = f.cause
    and (c.advanced_position is null or c.advanced_position < f.position)
