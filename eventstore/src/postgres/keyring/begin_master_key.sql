-- begin_master_key: makes a version of the master key the one that wraps, for every process
-- $1 the version, $2 its check value. After this no data key is made under an older one.
select eventlog.begin_master_key($1, $2)
