-- enter_every_tenant: the rest of this transaction sees the rows of every tenant
-- No parameters.
select set_config('app.every_tenant', 'on', true)
