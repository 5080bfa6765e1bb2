-- Carriers' statements: what comparing one with what is recorded showed. ADR 0049.

insert into eventlog.read_permission (role, category) values
    ('billing_svc', 'statement'),
    ('auditor', 'statement'),
    ('tollbook_admin', 'statement');

insert into eventlog.append_permission (role, category, type, schema_version) values
    ('billing_svc', 'statement', 'OperatorStatementCompared', 1);

insert into eventlog.projection (log_id, projection, role) values
    (1, 'operator_statements', 'billing_svc');
