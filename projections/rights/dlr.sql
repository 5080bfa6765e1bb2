-- What each of our roles may do in the schema dlr. Nothing else: what is not said here,
-- `tollbook migrate` takes away again. How to read and change it: docs/ROLES.md.

grant usage on schema dlr to dlr_svc, billing_svc, auditor, tollbook_admin;

-- The service only adds; a row never changes.
grant select, insert on dlr.delivery_receipts, dlr.orphaned_receipts, dlr.orphan_resolutions
    to dlr_svc;
grant select on dlr.orphans to dlr_svc;

-- Which ids a carrier gave to which messages, to compare the carrier's statement with what is charged;
-- by policy only of the carrier whose statement it is. Nothing else of a receipt (ADR 0049).
grant select (log_id, message_id, tenant_id, operator_id, operator_message_id)
    on dlr.delivery_receipts to billing_svc;

-- Others read all but the columns that hold personal data (sealed): source_addr, dest_addr and
-- raw_payload.
grant select (
    log_id, position, receipt_id, message_id, tenant_id, account_id, operator_id,
    operator_message_id, raw_stat, dlr_status, error_code, delivered_at, correlated_at,
    created_at
) on dlr.delivery_receipts to auditor, tollbook_admin;
grant select (
    log_id, position, orphan_id, operator_id, operator_message_id, raw_stat, dlr_status,
    delivered_at, received_at, message_hint
) on dlr.orphaned_receipts to auditor, tollbook_admin;
grant select on dlr.orphan_resolutions to auditor, tollbook_admin;
grant select (
    orphan_id, operator_id, operator_message_id, raw_stat, dlr_status, delivered_at,
    received_at, message_hint, resolved_at, resolved_receipt_id, message_id
) on dlr.orphans to auditor, tollbook_admin;

-- Jobs: rebuilding, erasing.
grant insert, update, delete, truncate
    on dlr.delivery_receipts, dlr.orphaned_receipts, dlr.orphan_resolutions
    to tollbook_admin;
