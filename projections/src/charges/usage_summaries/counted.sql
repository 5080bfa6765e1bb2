-- read_usage_counted: how far the usage of a log is counted
-- 0 before the first charge. $1 log.
select coalesce(max(position), 0) from billing.usage_counted where log_id = $1
