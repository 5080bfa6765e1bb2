-- look_at_login: whether a superuser is logged in, and whether the guard is installed
-- No parameters.
select r.rolsuper, to_regprocedure('tollbook_guard.as_it_is()') is not null
from pg_catalog.pg_roles r
where r.rolname = current_user
