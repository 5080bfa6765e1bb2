-- waiting: how many charges are held and not resolved
select count(*) from billing.held_charges where resolved_at is null
