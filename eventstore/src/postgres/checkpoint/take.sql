-- take_checkpoint: takes a projection's checkpoint for the rest of the transaction
-- Where it stands; null if another transaction holds it. $1 log, $2 projection.
select eventlog.take_checkpoint($1, $2)
