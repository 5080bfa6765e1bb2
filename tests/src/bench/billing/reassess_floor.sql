-- reassess_floor: what Postgres alone does to the charges of the seed: their history, and what they cost
-- It leaves the history empty and the charges as they were, but for dead rows.
begin;
insert into billing.cost_assessments (
    log_id, position, charge_position, message_id, tenant_id, account_id, cause, due, operator_cost,
    converted_cost, margin, currency, created_at
)
select log_id, 1, position, message_id, tenant_id, account_id, 1, true, operator_cost, converted_cost,
    margin, currency, created_at
from billing.billing_events;
update billing.billing_events set operator_cost = operator_cost, margin = margin;
commit;
truncate billing.cost_assessments;
analyze billing.billing_events, billing.usage_summaries, billing.usage_days
