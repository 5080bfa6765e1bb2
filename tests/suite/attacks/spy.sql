-- spy: types of the attacker's that stand in the way of the real ones and look who uses them
-- A function of the log that took one of them would run the check, and the check would tell.
create function pg_temp.spy() returns boolean language plpgsql as $$
begin
    if current_user <> session_user then
        raise exception 'this ran as %', current_user;
    end if;
    return true;
end
$$;
do $$
declare
    kind text;
begin
    foreach kind in array array[
        'text', 'uuid', 'json', 'bytea', 'date', 'name', 'timestamptz', 'int2', 'int4', 'int8', 'bool'
    ] loop
        execute format(
            'create domain pg_temp.%I as pg_catalog.%I check (pg_temp.spy())', kind, kind);
    end loop;
end
$$
