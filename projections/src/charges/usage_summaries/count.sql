-- advance_usage_counted: notes how far the usage of a log is counted
-- $1 log, $2 position of the last charge counted.
insert into billing.usage_counted (log_id, position) values ($1, $2)
on conflict (log_id) do update set position = excluded.position
