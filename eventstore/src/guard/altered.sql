-- check_altered: what is not as the last migration left it; nothing while a change window is open
-- What is wrong, and what mends it. What two versions of Postgres may word differently is left out.
select
    case
        when r.thing is null then n.thing || ' was not there after the last migration'
        when n.thing is null then r.thing || ' is gone'
        else r.thing || ' was ' || r.state || '; now it is ' || n.state
    end as fault,
    'select tollbook_guard.record(), if it is to stay so' as remedy
from tollbook_guard.recorded r
full join tollbook_guard.as_it_is() n on n.thing = r.thing
where r.state is distinct from n.state
    and (r.server = n.server) is not false
    and exists (select from tollbook_guard.recorded)
    and not tollbook_guard.window_is_open()
order by fault
