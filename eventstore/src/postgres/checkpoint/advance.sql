-- advance_checkpoint: moves a checkpoint that this transaction has taken
-- $1 log, $2 projection, $3 from this position, $4 to this one, $5 the newest event seen, $6 when
-- that was recorded.
select eventlog.advance_checkpoint($1, $2, $3, $4, $5, $6)
