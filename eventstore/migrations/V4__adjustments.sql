-- Adjustments of accounts' bills: billing records that one is proposed and decided.
insert into eventlog.read_permission (role, category) values
    ('billing_svc', 'adjustment'),
    ('auditor', 'adjustment'),
    ('tollbook_admin', 'adjustment');

insert into eventlog.append_permission (role, category, type, schema_version) values
    ('billing_svc', 'adjustment', 'AdjustmentProposed', 1),
    ('billing_svc', 'adjustment', 'AdjustmentApproved', 1),
    ('billing_svc', 'adjustment', 'AdjustmentRejected', 1);

insert into eventlog.projection (log_id, projection, role) values
    (1, 'adjustments', 'billing_svc');
