-- erasure_recorded: whether the log says that a tenant is erased, and how many events it has of it
-- $1 log, $2 pseudonym.
select
    exists (
        select from eventlog.event e
        where e.log_id = $1 and e.stream_id = $2 and e.category = 'tenant'
            and e.type = 'TenantErased'
    ),
    (select count(*) from eventlog.event e where e.log_id = $1 and e.tenant = $2)
