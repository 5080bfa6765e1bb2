-- count_projections_past: how many of the projections have taken in everything up to a position
-- $1 log, $2 projections, $3 position.
select count(*) from eventlog.checkpoint
where log_id = $1 and projection = any($2) and position >= $3
