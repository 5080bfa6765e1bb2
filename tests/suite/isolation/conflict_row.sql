-- conflict_row: a contradiction of a tenant
-- $1 position, $2 an id, $3 tenant.
insert into billing.charge_conflicts (
    log_id, position, conflict_id, message_id, differs, recorded_at, source_event_id, tenant_id,
    account_id, operator_id, direction, segment_count, dlr_status, occurred_at, charged_at,
    first_source_event_id, first_tenant_id, first_account_id, first_operator_id, first_direction,
    first_segment_count, first_dlr_status, first_occurred_at, first_charged_at
)
values (
    1, $1, $2, $2, '{segmentCount}', now(), $2, $3, $2, $2, 'MT', 1, 'DELIVERED', now(), now(),
    $2, $3, $2, $2, 'MT', 2, 'DELIVERED', now(), now()
)
