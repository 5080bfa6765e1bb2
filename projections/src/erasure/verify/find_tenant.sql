-- find_tenant: every column, and in how many rows it names a tenant
-- $1 tenant id.
select target, attribute, found_rows from eventlog.find_tenant($1)
