-- auditor tenants
-- Which tenant each pseudonym of the log stands for.
SELECT pseudonym, tenant_id FROM eventlog.tenant
