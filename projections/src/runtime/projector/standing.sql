-- read_checkpoint: how far a projection has come, without taking its checkpoint, and whether that is beyond
-- the head, which only a mishap can make
-- 0 before its first batch. $1 log, $2 projection.
select
    coalesce(max(c.position), 0),
    coalesce(max(c.position) > 0 and eventlog.recorded_at($1, max(c.position)) is null, false)
from eventlog.checkpoint c where c.log_id = $1 and c.projection = $2
