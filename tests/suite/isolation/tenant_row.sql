-- tenant_row: who a pseudonym stands for
-- $1 position, which is of no use here, $2 an id, $3 tenant; a tenant has one row.
insert into eventlog.tenant (pseudonym, tenant_id)
select $2, $3
where $1::bigint is not null
on conflict (tenant_id) do update set created_at = now()
