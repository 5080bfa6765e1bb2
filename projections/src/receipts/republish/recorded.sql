-- find_recorded_at: when an event was recorded
-- $1 log, $2 its position.
select recorded_at from eventlog.event where log_id = $1 and position = $2
