-- auditor text columns
-- Every column of ours that could hold readable text. Partitions are left to their parents.
SELECT format('%I.%I', schema.nspname, class.relname), quote_ident(att.attname)
FROM pg_attribute AS att
JOIN pg_class AS class ON class.oid = att.attrelid
JOIN pg_namespace AS schema ON schema.oid = class.relnamespace
WHERE schema.nspname IN ('eventlog', 'dlr', 'billing')
  AND class.relkind IN ('r', 'p')
  AND NOT class.relispartition
  AND att.attnum > 0
  AND NOT att.attisdropped
  AND att.atttypid IN ('text'::regtype, 'varchar'::regtype, 'json'::regtype, 'jsonb'::regtype,
                       'text[]'::regtype)
ORDER BY class.oid, att.attnum
