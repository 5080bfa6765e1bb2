-- count_waiting_charges: how many held charges wait
-- $1 log.
select count(*) as waiting
from billing.held_charges h
where h.log_id = $1 and h.resolved_at is null
