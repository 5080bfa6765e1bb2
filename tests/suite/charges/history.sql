-- history: what the log tells of a message's charge, in order
-- $1 stream of the charge
select type, payload from eventlog.event
where log_id = 1 and category = 'charge' and stream_id = $1
order by version
