-- a_reader: somebody who may read our tables and nothing else
do $$
begin
    if to_regrole('a_reader') is null then
        create role a_reader nologin;
    end if;
end
$$;
grant usage on schema eventlog, dlr, billing to a_reader;
grant select on eventlog.tenant, eventlog.erased_tenant to a_reader;
grant select on all tables in schema dlr, billing to a_reader;
