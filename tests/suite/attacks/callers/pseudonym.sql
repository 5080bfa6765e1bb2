-- pseudonym: what stands for a tenant in the log
-- $1 the tenant's id.
select pseudonym::text from eventlog.tenant where tenant_id = $1
