-- insert_access_log: adds a row per access, with the tenants behind the pseudonyms
-- An erased tenant stays the pseudonym it is in the log. $1 log; per access: $2 position, $3 whose
-- data (a pseudonym), $4 account, $5 further accounts as the text of an array, $6 the caller's
-- pseudonym, $7 the caller, $8 endpoint, $9 code of a refusal, $10 calls, $11 request, $12 when,
-- $13 when the last of them, $14 when recorded.
insert into billing.access_log (
    log_id, position, tenant_id, account_id, more_account_ids, caller_tenant_id, principal,
    endpoint, refused_with, calls, request_id, occurred_at, last_at, created_at
)
select $1, f.position, coalesce(t.tenant_id, f.tenant), f.account_id, f.more::uuid[],
    coalesce(c.tenant_id, f.caller), f.principal, f.endpoint, f.code, f.calls, f.request_id,
    f.occurred_at, f.last_at, f.recorded_at
from unnest(
    $2::bigint[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::text[],
    $9::text[], $10::bigint[], $11::uuid[], $12::timestamptz[], $13::timestamptz[],
    $14::timestamptz[]
) as f (
    position, tenant, account_id, more, caller, principal, endpoint, code, calls, request_id,
    occurred_at, last_at, recorded_at
)
left join eventlog.tenant t on t.pseudonym = f.tenant
left join eventlog.tenant c on c.pseudonym = f.caller
on conflict (log_id, position) do nothing
