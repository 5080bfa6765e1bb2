-- assessment_row: what a charge of a tenant cost once
-- $1 position, $2 an id, $3 tenant.
insert into billing.cost_assessments (
    log_id, position, charge_position, message_id, tenant_id, account_id, cause, due,
    operator_cost, converted_cost, margin, currency, created_at
)
values (1, $1, $1, $2, $3, $2, 1, true, 0, 0, 1, 'EUR', now())
