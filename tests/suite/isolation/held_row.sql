-- held_row: a held charge of a tenant
-- $1 position, $2 an id, $3 tenant.
insert into billing.held_charges (
    log_id, position, message_id, tenant_id, account_id, operator_id, direction, dlr_status,
    segment_count, charged_at, rated_at, reason, held_at
)
values (1, $1, $2, $3, $2, $2, 'MT', 'DELIVERED', 1, now(), now(), 'ACCOUNT_UNKNOWN', now())
