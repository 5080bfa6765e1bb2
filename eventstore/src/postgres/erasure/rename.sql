-- rename_erased: has some more rows name the pseudonym; says how many
-- $1 pseudonym, $2 the most rows of each column. Once there are none left the tenant is forgotten.
select eventlog.rename_erased($1, $2)
