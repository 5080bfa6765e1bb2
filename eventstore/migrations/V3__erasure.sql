-- Erasing a tenant: what is left of it outside the log is a row that does not name it, and in the
-- log its pseudonym, as before. Done by a job as tollbook_admin; a service only records that it is
-- wanted. ADR 0041.

insert into eventlog.append_permission (role, category, type, schema_version) values
    ('billing_svc', 'tenant', 'ErasureRequested', 1),
    ('tollbook_admin', 'tenant', 'TenantErased', 1);

insert into eventlog.projection (log_id, projection, role) values
    (1, 'erasures', 'billing_svc');

-- Who was erased. Whoever is asked about a tenant and has a master key can tell that it is one of
-- these, and under which pseudonym its history stands; nobody else can. So what still arrives for an
-- erased tenant belongs to that pseudonym, and does not bring the tenant back.
create table eventlog.erased_tenant (
    pseudonym uuid not null,
    tenant_id uuid,
    digest bytea not null,
    master_key smallint not null,
    erased_at timestamptz not null default now(),
    renamed bigint not null default 0,
    constraint erased_tenant_pkey primary key (pseudonym),
    constraint erased_tenant_digest_check check (octet_length(digest) = 32)
);
comment on table eventlog.erased_tenant is 'Who was erased.';
comment on column eventlog.erased_tenant.pseudonym is 'What the log calls it, for ever.';
comment on column eventlog.erased_tenant.tenant_id is
    'The tenant, until no row names it any more; then null.';
comment on column eventlog.erased_tenant.digest is
    'HMAC-SHA-256 of the tenant''s id under a key derived from a master key.';
comment on column eventlog.erased_tenant.master_key is 'The version of that master key.';
comment on column eventlog.erased_tenant.erased_at is 'When its data key was destroyed.';
comment on column eventlog.erased_tenant.renamed is
    'How many rows named the tenant and now name its pseudonym.';
create index erased_tenant_by_digest on eventlog.erased_tenant (digest);

-- Whoever works for one tenant sees it only as long as it is named.
alter table eventlog.erased_tenant enable row level security;
alter table eventlog.erased_tenant force row level security;
create policy services_see_all on eventlog.erased_tenant
    to tollbook_owner, dlr_svc, billing_svc, auditor, tollbook_admin
    using (true) with check (true);
create policy own_tenant on eventlog.erased_tenant
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- hold_projections: waits until no projection is at work, and keeps them all until the transaction
-- ends. A projection that finds its checkpoint held comes again a moment later.
create function eventlog.hold_projections() returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform from eventlog.projection p order by p.log_id, p.projection for update;
end
$$;

-- tenant_columns: where projections name tenants: every column called tenant_id, or something that
-- ends so, in a table of ours outside the log. in_key says whether two rows may collide by it.
create function eventlog.tenant_columns(out target regclass, out attribute name, out in_key boolean)
returns setof record
language sql stable set search_path = pg_catalog, pg_temp as $$
    select c.oid::regclass, a.attname, exists (
        select from pg_index i
        where i.indrelid = c.oid and i.indisunique and a.attnum = any (i.indkey::smallint[])
    )
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid
    where n.nspname in ('dlr', 'billing') and c.relkind = 'r'
        and a.attname ~ '(^|_)tenant_id$' and a.atttypid = 'uuid'::regtype and not a.attisdropped
    order by n.nspname, c.relname, a.attname
$$;

-- begin_erasure: destroys a tenant's key and its mapping, and leaves in their place the row that
-- does not name it. Projections stand still meanwhile: what they show before it names the tenant
-- and is renamed, what they show after it names the pseudonym. Where a row might then collide with
-- one that still names the tenant, it is renamed here; the rest may be many rows and can wait.
create function eventlog.begin_erasure(
    p_pseudonym uuid, p_tenant_id uuid, p_digest bytea, p_master_key smallint
) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    named record;
    rows_renamed bigint;
    total bigint := 0;
begin
    perform eventlog.hold_projections();
    delete from eventlog.tenant t
    where t.pseudonym = p_pseudonym and t.tenant_id = p_tenant_id;
    if not found then
        -- Somebody else was faster.
        return;
    end if;
    delete from eventlog.data_key k where k.tenant = p_pseudonym;
    for named in
        select c.target, c.attribute from eventlog.tenant_columns() c where c.in_key
    loop
        execute format('update %s set %I = $1 where %2$I = $2', named.target, named.attribute)
            using p_pseudonym, p_tenant_id;
        get diagnostics rows_renamed = row_count;
        total := total + rows_renamed;
    end loop;
    insert into eventlog.erased_tenant (pseudonym, tenant_id, digest, master_key, renamed)
    values (p_pseudonym, p_tenant_id, p_digest, p_master_key, total);
end
$$;

-- rename_erased: has some rows, at most p_limit of each column, name the pseudonym instead of the
-- tenant; says how many. Once there are none left, the tenant itself is forgotten.
create function eventlog.rename_erased(p_pseudonym uuid, p_limit bigint) returns bigint
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    erased uuid;
    named record;
    rows_renamed bigint;
    total bigint := 0;
begin
    select e.tenant_id into erased from eventlog.erased_tenant e
    where e.pseudonym = p_pseudonym for update;
    if erased is null then
        return 0;
    end if;
    for named in select c.target, c.attribute from eventlog.tenant_columns() c loop
        execute format(
            'update %s set %I = $1 where (log_id, position) in (
                select log_id, position from %1$s where %2$I = $2 limit $3
            ) and %2$I = $2', named.target, named.attribute)
            using p_pseudonym, erased, p_limit;
        get diagnostics rows_renamed = row_count;
        total := total + rows_renamed;
    end loop;
    update eventlog.erased_tenant e
    set renamed = e.renamed + total, tenant_id = case when total = 0 then null else erased end
    where e.pseudonym = p_pseudonym;
    return total;
end
$$;

-- find_tenant: every column of eventlog, dlr and billing that the caller may read, and in how many
-- rows it holds the id of a tenant, in whatever form an id can have there
create function eventlog.find_tenant(
    p_tenant_id uuid, out target text, out attribute text, out found_rows bigint
) returns setof record
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    searched record;
    plain text := replace(p_tenant_id::text, '-', '');
begin
    for searched in
        select c.oid::regclass as relation, a.attname, a.atttypid
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid
        where n.nspname in ('eventlog', 'dlr', 'billing') and c.relkind in ('r', 'p')
            and a.attnum > 0 and not a.attisdropped
            and has_column_privilege(c.oid, a.attnum, 'SELECT')
        order by n.nspname, c.relname, a.attnum
    loop
        target := searched.relation::text;
        attribute := searched.attname;
        if searched.atttypid = 'uuid'::regtype then
            execute format('select count(*) from %s where %I = $1', target, attribute)
                into found_rows using p_tenant_id;
        elsif searched.atttypid = 'bytea'::regtype then
            execute format(
                'select count(*) from %s where position(decode($1, ''hex'') in %I) > 0
                    or position(convert_to($2, ''UTF8'') in %2$I) > 0', target, attribute)
                into found_rows using plain, p_tenant_id::text;
        else
            execute format(
                'select count(*) from %s where position($1 in lower(%I::text)) > 0
                    or position($2 in lower(%2$I::text)) > 0', target, attribute)
                into found_rows using plain, p_tenant_id::text;
        end if;
        return next;
    end loop;
end
$$;
