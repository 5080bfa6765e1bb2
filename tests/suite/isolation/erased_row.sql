-- erased_row: a tenant that is being erased and that rows may still name
-- $1 position, which is of no use here, $2 a pseudonym, $3 tenant.
insert into eventlog.erased_tenant (pseudonym, tenant_id, digest, master_key)
select $2, $3, sha256('a digest'), 1
where $1::bigint is not null
