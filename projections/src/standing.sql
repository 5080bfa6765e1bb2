-- standing: how far a projection has come, without taking its checkpoint
-- 0 before its first batch. $1 log, $2 projection.
select coalesce(max(position), 0) from eventlog.checkpoint where log_id = $1 and projection = $2
