-- Which tenants are to be forgotten, and since when they are. By pseudonym: nothing in here names a
-- tenant, so there is no policy.
create table billing.erasures (
    log_id smallint not null,
    position bigint not null,
    pseudonym uuid not null,
    source_event_id uuid not null,
    announced_at timestamptz not null,
    requested_at timestamptz not null,
    erased_at timestamptz,
    constraint erasures_pkey primary key (log_id, position),
    constraint erasures_pseudonym_key unique (pseudonym, log_id)
);
comment on table billing.erasures is 'Tenants that are to be erased, and that are.';
comment on column billing.erasures.log_id is 'The log it is recorded in.';
comment on column billing.erasures.position is 'Where in that log it was asked for.';
comment on column billing.erasures.pseudonym is 'What the log calls the tenant.';
comment on column billing.erasures.source_event_id is 'The announcement that asked for it.';
comment on column billing.erasures.announced_at is 'When the platform erased it, as announced.';
comment on column billing.erasures.requested_at is 'When that was recorded.';
comment on column billing.erasures.erased_at is
    'When its data key was destroyed; null while that is to be done.';

-- Whoever erases looks for what is to be done.
create index erasures_pending on billing.erasures (log_id, position) where erased_at is null;
