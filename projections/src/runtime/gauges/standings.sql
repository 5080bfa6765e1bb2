-- read_checkpoints: how far all projections have come, whichever node carries them
-- $1 log.
select projection, position from eventlog.checkpoint where log_id = $1
