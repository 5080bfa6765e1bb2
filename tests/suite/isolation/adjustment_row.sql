-- adjustment_row: an adjustment that waits
-- $1 position, $2 an id, $3 tenant.
insert into billing.adjustments (
    log_id, position, adjustment_id, tenant_id, account_id, amount, currency, status,
    reason_version, proposed_by, proposed_at, changed_position
)
values (1, $1, $2, $3, $2, -1, 'EUR', 'PROPOSED', 1, 'somebody', now(), $1)
