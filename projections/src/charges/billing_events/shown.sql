-- read_charges_shown: up to where billing.billing_events shows the log
-- 0 before the first batch. $1 log.
select coalesce((
    select c.position from eventlog.checkpoint c
    where c.log_id = $1 and c.projection = 'billing_events'
), 0) as position
