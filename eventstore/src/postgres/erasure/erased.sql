-- read_erased: when a tenant's key was destroyed, and how many rows were renamed
-- $1 pseudonym. Nothing while rows still name the tenant.
select erased_at, renamed from eventlog.erased_tenant where pseudonym = $1 and tenant_id is null
