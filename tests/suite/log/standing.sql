-- standing: whether an account is more than an account
-- $1 role. Whether it has an attribute that makes it powerful, how many things of any kind it
-- owns in this or another database, and which roles it is a member of.
select
    r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication,
    (
        select count(*) from pg_shdepend d
        where d.refclassid = 'pg_authid'::regclass and d.refobjid = r.oid and d.deptype = 'o'
    ),
    array(
        select g.rolname::text
        from pg_auth_members m join pg_roles g on g.oid = m.roleid
        where m.member = r.oid order by 1
    )
from pg_roles r
where r.rolname = $1
