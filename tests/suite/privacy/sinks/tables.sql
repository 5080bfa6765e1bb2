-- tables
-- Every table of ours, those that hold nothing yet included. Partitions are read with their parents.
SELECT format('%I.%I', schema.nspname, class.relname)
FROM pg_class AS class
JOIN pg_namespace AS schema ON schema.oid = class.relnamespace
WHERE schema.nspname IN ('eventlog', 'dlr', 'billing')
  AND class.relkind IN ('r', 'p', 'm')
  AND NOT class.relispartition
ORDER BY class.oid
