-- rewrap_keys: puts data keys under a newer version of the master key, and says how many that were
-- Of each: $1 number, $2 as it is wrapped now, $3 as it shall be. $4 the version, $5 its check value.
select eventlog.rewrap_keys($1, $2, $3, $4, $5)
