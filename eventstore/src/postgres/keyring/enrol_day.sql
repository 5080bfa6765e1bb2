-- enrol_day: gives a day its data key of that number, unless it has one
-- $1 day, $2 number, $3 wrapped key, $4 version of the master key, $5 its check value.
select eventlog.enrol_day($1, $2, $3, $4, $5)
