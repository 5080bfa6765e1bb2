-- What each of our roles may do in the schema billing. Nothing else: what is not said here,
-- `tollbook migrate` takes away again. How to read and change it: docs/ROLES.md.

grant usage on schema billing to billing_svc, auditor, tollbook_admin;

-- The service adds rows and changes what can change; rows go away only by a job.
grant select, insert on billing.billing_events, billing.usage_summaries, billing.usage_days,
    billing.usage_counted, billing.pricing_tables, billing.operator_costs, billing.accounts,
    billing.account_versions, billing.adjustments, billing.held_charges, billing.access_log,
    billing.erasures, billing.exchange_rates, billing.cost_changes, billing.cost_assessments
    to billing_svc;
grant update (
    message_count, segment_count, customer_price, operator_cost, margin, cost_missing_count,
    margin_unknown_count, position
) on billing.usage_summaries, billing.usage_days to billing_svc;
grant update (
    operator_cost_id, cost_missing, operator_cost, cost_currency, exchange_rate_id,
    converted_cost, margin, assessed_position
) on billing.billing_events to billing_svc;
grant update (
    examined_count, changed_count, through_operator_id, through_rated_at, through_position,
    advanced_position, advanced_version, completed_at
) on billing.cost_changes to billing_svc;
grant update (position) on billing.usage_counted to billing_svc;
grant update (effective_to, closed_by, changed_position)
    on billing.pricing_tables, billing.operator_costs, billing.exchange_rates to billing_svc;
grant update (changed_at, changed_position) on billing.accounts to billing_svc;
grant update (replaced_position) on billing.account_versions to billing_svc;
grant update (
    status, decided_by, decided_at, rejection_reason, rejection_version, changed_position
) on billing.adjustments to billing_svc;
grant update (resolved_at) on billing.held_charges to billing_svc;
grant update (erased_at) on billing.erasures to billing_svc;
grant select, insert on billing.charge_conflicts to billing_svc;

-- Carriers' statements, and the desk they are compared on. What lies there is no record and is gone
-- when a comparison ends, so the service clears it itself; nobody else has a right there.
grant select, insert on billing.operator_statements to billing_svc;
grant select, insert, delete
    on billing.operator_statement_uploads, billing.operator_statement_lines,
    billing.operator_statement_charges, billing.operator_statement_matches
    to billing_svc;

-- Others read all but the columns that hold personal data (sealed): legal_name, contact_name,
-- billing_address, vat_id and purchase_order, and the reasons of adjustments.
grant select on billing.billing_events, billing.usage_summaries, billing.usage_days,
    billing.usage_counted, billing.pricing_tables, billing.operator_costs, billing.accounts,
    billing.held_charges, billing.access_log, billing.erasures, billing.exchange_rates, billing.cost_changes,
    billing.cost_assessments
    to auditor, tollbook_admin;
grant select (
    log_id, position, tenant_id, account_id, effective_from, account_tier, currency,
    payment_terms_days, invoice_language, tax_category, tax_rate, tax_country, sealed_version,
    created_by, created_at, replaced_position
) on billing.account_versions to auditor, tollbook_admin;
grant select (
    log_id, position, adjustment_id, tenant_id, account_id, amount, currency, message_id, status,
    reason_version, proposed_by, proposed_at, decided_by, decided_at, rejection_version,
    changed_position
) on billing.adjustments to auditor, tollbook_admin;

grant select on billing.charge_conflicts, billing.operator_statements to auditor, tollbook_admin;

-- Jobs: rebuilding, erasing.
grant insert, update, delete, truncate
    on billing.billing_events, billing.usage_summaries, billing.usage_days,
    billing.usage_counted, billing.pricing_tables, billing.operator_costs, billing.accounts,
    billing.account_versions, billing.adjustments, billing.held_charges, billing.access_log,
    billing.erasures, billing.exchange_rates, billing.cost_changes, billing.cost_assessments
    to tollbook_admin;
grant insert, update, delete, truncate on billing.charge_conflicts, billing.operator_statements
    to tollbook_admin;
