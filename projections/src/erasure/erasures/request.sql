-- insert_erasures: adds a row per tenant that is to be erased
-- $1 log; per request: $2 position, $3 pseudonym, $4 announcement, $5 when the platform erased the
-- tenant, $6 when recorded.
insert into billing.erasures (
    log_id, position, pseudonym, source_event_id, announced_at, requested_at
)
select $1, f.position, f.pseudonym, f.announcement, f.announced_at, f.requested_at
from unnest(
    $2::bigint[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::timestamptz[]
) as f (position, pseudonym, announcement, announced_at, requested_at)
on conflict (log_id, position) do nothing
