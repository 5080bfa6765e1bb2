-- auditor conflicts
-- Every contradiction, as the projection shows it: itself, what it says, what counts.
SELECT position, conflict_id, message_id, differs, recorded_at,
       source_event_id, tenant_id, account_id, operator_id, segment_count,
       direction, dlr_status, stated_tier, stated_currency::text, occurred_at, charged_at,
       first_source_event_id, first_tenant_id, first_account_id, first_operator_id,
       first_segment_count, first_direction, first_dlr_status, first_stated_tier,
       first_stated_currency::text, first_occurred_at, first_charged_at
FROM billing.charge_conflicts
WHERE log_id = $1
