-- read_head: the position of the newest event
-- $1 log.
select position from eventlog.head where log_id = $1
