-- enter_scope: says for whom the transaction works
-- Until its end. $1 tenant, or nothing; $2 'on' for all tenants, or nothing.
select set_config('app.tenant_id', $1, true), set_config('app.every_tenant', $2, true)
