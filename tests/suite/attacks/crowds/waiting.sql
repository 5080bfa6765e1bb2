-- waiting: how many questions about usage by the hour wait for the table
select count(*) from pg_stat_activity
where usename = 'billing_svc' and wait_event_type = 'Lock' and query like '-- read_usage_by_hour:%'
