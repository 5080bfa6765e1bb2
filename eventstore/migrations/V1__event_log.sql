-- The log: who may say what, the events, and the one row that orders them.
-- Promises L1 to L7 stand in words at eventstore::EventStore.

-- Which role may read which kinds of streams. The policy on the events asks here, and so does the
-- append function before it tells anything about a stream.
create table eventlog.read_permission (
    role name not null,
    category text not null,
    constraint read_permission_pkey primary key (role, category)
);
comment on table eventlog.read_permission is 'Which role may read which kinds of streams.';
comment on column eventlog.read_permission.role is 'A login role.';
comment on column eventlog.read_permission.category is 'A kind of stream.';

insert into eventlog.read_permission (role, category)
select reader.role, kind.category
from (values
    ('dlr_svc', array['message', 'orphan']),
    ('billing_svc', array[
        'charge', 'account', 'tenant', 'price', 'sheet', 'assessment', 'invoice', 'audit'
    ]),
    ('auditor', array[
        'message', 'orphan', 'charge', 'account', 'tenant', 'price', 'sheet', 'assessment',
        'invoice', 'audit'
    ]),
    ('tollbook_admin', array[
        'message', 'orphan', 'charge', 'account', 'tenant', 'price', 'sheet', 'assessment',
        'invoice', 'audit'
    ])
) as reader (role, categories), unnest(reader.categories) as kind (category);

-- Which role may append which events. The policy on the events asks here, so that nobody records
-- an event in another's name or one that no reader knows.
create table eventlog.append_permission (
    role name not null,
    category text not null,
    type text not null,
    schema_version smallint not null,
    constraint append_permission_pkey primary key (role, category, type, schema_version),
    constraint append_permission_is_read foreign key (role, category)
        references eventlog.read_permission
);
comment on table eventlog.append_permission is 'Which role may append which events.';
comment on column eventlog.append_permission.role is 'A login role.';
comment on column eventlog.append_permission.category is 'The kind of stream they stand in.';
comment on column eventlog.append_permission.type is 'The type of event.';
comment on column eventlog.append_permission.schema_version is 'The version of its shape.';

-- A line per version of every type of event, in the order of the list in schema/src/event.rs.
insert into eventlog.append_permission (role, category, type, schema_version) values
    ('dlr_svc', 'message', 'ReceiptRecorded', 1),
    ('dlr_svc', 'message', 'MessageSettled', 1),
    ('dlr_svc', 'message', 'LateReceiptRecorded', 1),
    ('dlr_svc', 'orphan', 'ReceiptOrphaned', 1),
    ('dlr_svc', 'orphan', 'OrphanMatched', 1),
    ('billing_svc', 'charge', 'MessageCharged', 1),
    ('billing_svc', 'charge', 'ChargeHeld', 1),
    ('billing_svc', 'charge', 'ChargeConflictRecorded', 1),
    ('billing_svc', 'account', 'AccountRegistered', 1),
    ('billing_svc', 'account', 'AccountChanged', 1),
    ('billing_svc', 'price', 'PriceOpened', 1),
    ('billing_svc', 'price', 'PriceClosed', 1),
    ('billing_svc', 'price', 'CostOpened', 1),
    ('billing_svc', 'price', 'CostClosed', 1),
    ('billing_svc', 'sheet', 'PriceSheetApplied', 1),
    ('billing_svc', 'sheet', 'CostSheetApplied', 1),
    ('billing_svc', 'price', 'ExchangeRateOpened', 1),
    ('billing_svc', 'price', 'ExchangeRateClosed', 1),
    ('billing_svc', 'assessment', 'CostsAssessed', 1),
    ('billing_svc', 'assessment', 'AssessmentAdvanced', 1),
    ('billing_svc', 'audit', 'CrossAccountRead', 1),
    ('billing_svc', 'audit', 'AccessRefused', 1),
    ('tollbook_admin', 'audit', 'PersonalDataRevealed', 1);

-- One row per log. Appending locks it first, so commits are ordered and positions have no gaps (L2).
-- It never changes: where a log ends is said by its newest event. A row that each append changed would
-- leave a dead version behind each time, and as long as somebody's snapshot keeps those (a dump, a
-- forgotten transaction) every append and every look would have to step over all of them.
create table eventlog.log (
    log_id smallint not null,
    constraint log_pkey primary key (log_id)
);
comment on table eventlog.log is 'The logs; the lock that orders the appends of each.';
comment on column eventlog.log.log_id is 'Which log.';

insert into eventlog.log (log_id) values (1);

-- What happened, in the order it was recorded. Never updated, never deleted (L1).
create table eventlog.event (
    position bigint not null,
    recorded_at timestamptz not null,
    occurred_at timestamptz not null,
    stream_id uuid not null,
    event_id uuid not null,
    tenant uuid,
    account uuid,
    cause uuid,
    version integer not null,
    log_id smallint not null,
    schema_version smallint not null,
    category text not null,
    type text not null,
    principal text not null,
    recorded_by text not null default session_user,
    trace text,
    content_hash bytea not null,
    payload json not null,
    sealed json,
    constraint event_pkey primary key (log_id, position),
    constraint event_stream_version_key unique (log_id, stream_id, category, version)
);
comment on table eventlog.event is 'What happened, in the order it was recorded.';
comment on column eventlog.event.position is '1, 2, 3, … without a gap in its log.';
comment on column eventlog.event.recorded_at is 'When the log recorded it; never going back.';
comment on column eventlog.event.occurred_at is 'When it happened.';
comment on column eventlog.event.stream_id is 'What it happened to, within its category.';
comment on column eventlog.event.event_id is 'Derived from what happened; a repeat has the same.';
comment on column eventlog.event.tenant is 'The pseudonym of the tenant, where known.';
comment on column eventlog.event.account is 'The account, where known.';
comment on column eventlog.event.cause is 'The message or event that made us decide it.';
comment on column eventlog.event.version is '1, 2, 3, … without a gap in its stream.';
comment on column eventlog.event.log_id is 'Which log.';
comment on column eventlog.event.schema_version is 'The version of the shape of payload.';
comment on column eventlog.event.category is 'The kind of stream.';
comment on column eventlog.event.type is 'What happened.';
comment on column eventlog.event.principal is 'Who wanted it, as the recorder says.';
comment on column eventlog.event.recorded_by is 'The role that was logged in when it was recorded.';
comment on column eventlog.event.trace is 'The W3C traceparent of what caused it.';
comment on column eventlog.event.content_hash is 'SHA-256 of what must be equal in a repeat (L4).';
comment on column eventlog.event.payload is 'What exactly, to the byte. No personal data.';
comment on column eventlog.event.sealed is 'Personal data by field, sealed to stream and version.';

-- A role sees its own kinds. The functions run as the owner, who sees all but adds only what the
-- role behind the session may append, under that role's name: nobody goes around the functions.
alter table eventlog.event enable row level security;
alter table eventlog.event force row level security;
create policy own_kinds on eventlog.event for select
    using (category in (
        select p.category from eventlog.read_permission p where p.role = current_user
    ));
create policy owner_sees_all on eventlog.event to tollbook_owner using (true) with check (true);
create policy only_events_granted_to_the_session on eventlog.event as restrictive for insert
    with check (
        recorded_by = session_user
        and (category, type, schema_version) in (
            select p.category, p.type, p.schema_version
            from eventlog.append_permission p where p.role = session_user
        )
    );

-- end_of_log: where a log ends, for all who may read any of it; nothing of an empty one
create function eventlog.end_of_log(
    p_log smallint, out newest bigint, out recorded timestamptz
) returns setof record
language plpgsql stable security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off rows 1 as $$
begin
    return query
    select e.position, e.recorded_at from eventlog.event e
    where e.log_id = p_log order by e.position desc limit 1;
end
$$;
create view eventlog.head with (security_invoker = true) as
select l.log_id, coalesce(e.newest, 0) as position, coalesce(e.recorded, '-infinity') as recorded_at
from eventlog.log l
left join lateral eventlog.end_of_log(l.log_id) e on true;
comment on view eventlog.head is 'Where each log ends.';
comment on column eventlog.head.log_id is 'Which log.';
comment on column eventlog.head.position is 'The position of its newest event; 0 in an empty log.';
comment on column eventlog.head.recorded_at is 'When that event was recorded.';

-- Nobody rewrites history, the owner and superusers included, and no setting of a session puts the
-- triggers to sleep.
create function eventlog.refuse_rewriting() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception 'eventlog.event is append-only: % refused', tg_op
        using errcode = 'insufficient_privilege';
end
$$;
create trigger refuse_update_and_delete before update or delete on eventlog.event
    for each row execute function eventlog.refuse_rewriting();
create trigger refuse_truncate before truncate on eventlog.event
    for each statement execute function eventlog.refuse_rewriting();
alter table eventlog.event enable always trigger refuse_update_and_delete;
alter table eventlog.event enable always trigger refuse_truncate;

-- Which projections follow a log, and whose they are. A role takes checkpoints under these names
-- and no others, so none can take another's name or make names without end. Whoever takes a
-- checkpoint locks its row here, which never changes.
create table eventlog.projection (
    log_id smallint not null,
    projection text not null,
    role name not null,
    constraint projection_pkey primary key (log_id, projection)
);
comment on table eventlog.projection is 'Which projections follow a log, and whose they are.';
comment on column eventlog.projection.log_id is 'Which log.';
comment on column eventlog.projection.projection is 'Its name.';
comment on column eventlog.projection.role is 'The role that carries it along.';

insert into eventlog.projection (log_id, projection, role) values
    (1, 'delivery_receipts', 'dlr_svc'),
    (1, 'orphaned_receipts', 'dlr_svc'),
    (1, 'sms_messages', 'dlr_svc'),
    (1, 'billing.events', 'dlr_svc'),
    (1, 'webhook.dispatch', 'dlr_svc'),
    (1, 'sms.dlr.unmatched', 'dlr_svc'),
    (1, 'billing_events', 'billing_svc'),
    (1, 'usage_summaries', 'billing_svc'),
    (1, 'cost_assessments', 'billing_svc'),
    (1, 'cost_changes', 'billing_svc'),
    (1, 'pricing_tables', 'billing_svc'),
    (1, 'operator_costs', 'billing_svc'),
    (1, 'exchange_rates', 'billing_svc'),
    (1, 'accounts', 'billing_svc'),
    (1, 'held_charges', 'billing_svc'),
    (1, 'charge_conflicts', 'billing_svc'),
    (1, 'access_log', 'billing_svc');

-- How far each projection has come. A step adds a row and takes away the one before, so that the
-- newest is found at once, whatever a long snapshot keeps of those before (see eventlog.log).
create table eventlog.progress (
    log_id smallint not null,
    projection text not null,
    position bigint not null,
    constraint progress_pkey primary key (log_id, projection, position)
);
comment on table eventlog.progress is 'How far each projection has come.';
comment on column eventlog.progress.log_id is 'Which log.';
comment on column eventlog.progress.projection is 'Which projection.';
comment on column eventlog.progress.position is 'Everything up to here is applied.';

-- progress_of: how far a projection has come; null before its first step
create function eventlog.progress_of(p_log smallint, p_projection text) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
begin
    return (
        select g.position from eventlog.progress g
        where g.log_id = p_log and g.projection = p_projection order by g.position desc limit 1
    );
end
$$;
create view eventlog.checkpoint with (security_invoker = true) as
select p.log_id, p.projection, p.role, g.position
from eventlog.projection p
cross join lateral eventlog.progress_of(p.log_id, p.projection) as g (position)
where g.position is not null;
comment on view eventlog.checkpoint is 'How far each projection that has begun has come.';
comment on column eventlog.checkpoint.log_id is 'Which log.';
comment on column eventlog.checkpoint.projection is 'Which projection.';
comment on column eventlog.checkpoint.role is 'The role that carries it along.';
comment on column eventlog.checkpoint.position is 'Everything up to here is applied.';

-- Who a pseudonym stands for. Outside the log: deleting a row makes the pseudonym meaningless.
create table eventlog.tenant (
    pseudonym uuid not null,
    tenant_id uuid not null,
    created_at timestamptz not null default now(),
    constraint tenant_pkey primary key (pseudonym),
    constraint tenant_tenant_id_key unique (tenant_id)
);
comment on table eventlog.tenant is 'Who a pseudonym in the log stands for.';
comment on column eventlog.tenant.pseudonym is 'Random; what the log says instead of the tenant.';
comment on column eventlog.tenant.tenant_id is 'The tenant.';
comment on column eventlog.tenant.created_at is 'When the tenant was first seen.';

alter table eventlog.tenant enable row level security;
alter table eventlog.tenant force row level security;
create policy services_see_all on eventlog.tenant
    to tollbook_owner, dlr_svc, billing_svc, auditor, tollbook_admin
    using (true) with check (true);
create policy own_tenant on eventlog.tenant
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- The keys personal data is sealed under: one per tenant, and as a rule one per day for orphans.
create table eventlog.data_key (
    key_id bigint generated always as identity,
    tenant uuid,
    day date,
    number smallint not null default 1,
    wrapped bytea not null,
    master_key smallint not null,
    created_at timestamptz not null default now(),
    constraint data_key_pkey primary key (key_id),
    constraint data_key_tenant_key unique (tenant),
    constraint data_key_day_key unique (day, number),
    constraint data_key_number_check check (number between 1 and 8),
    constraint data_key_has_one_subject check (num_nonnulls(tenant, day) = 1)
);
comment on table eventlog.data_key is 'Data keys, wrapped; a deleted one opens nothing any more.';
comment on column eventlog.data_key.key_id is 'The number that sealed values name.';
comment on column eventlog.data_key.tenant is 'The pseudonym of the tenant whose data it seals.';
comment on column eventlog.data_key.day is 'The UTC day whose orphans it seals.';
comment on column eventlog.data_key.number is 'From 1; a day gets another if one does not open.';
comment on column eventlog.data_key.wrapped is 'Nonce, ciphertext and tag under the master key.';
comment on column eventlog.data_key.master_key is 'The version of the master key.';
comment on column eventlog.data_key.created_at is 'When it was made.';

-- Which key each version of the master key means, so that a process with another one is noticed.
create table eventlog.master_key (
    version smallint not null,
    check_value bytea not null,
    first_user name not null default session_user,
    created_at timestamptz not null default now(),
    constraint master_key_pkey primary key (version),
    constraint master_key_version_check check (version > 0),
    constraint master_key_check_value_check check (octet_length(check_value) = 32)
);
comment on table eventlog.master_key is 'Which key each version of the master key means.';
comment on column eventlog.master_key.version is 'The version, as in the master key file.';
comment on column eventlog.master_key.check_value is 'An HMAC under the key; tells nothing of it.';
comment on column eventlog.master_key.first_user is 'The role that first wrapped a data key with it.';
comment on column eventlog.master_key.created_at is 'When that was.';

-- Data keys that are gone, so that whoever holds one in memory forgets it.
create table eventlog.destroyed_key (
    key_id bigint not null,
    destroyed_at timestamptz not null default now(),
    constraint destroyed_key_pkey primary key (key_id)
);
comment on table eventlog.destroyed_key is 'Data keys that are gone.';
comment on column eventlog.destroyed_key.key_id is 'The number of the key.';
comment on column eventlog.destroyed_key.destroyed_at is 'When it was destroyed.';

create function eventlog.note_destroyed_key() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into eventlog.destroyed_key (key_id) values (old.key_id);
    return null;
end
$$;
create trigger note_destroyed_key after delete on eventlog.data_key
    for each row execute function eventlog.note_destroyed_key();
alter table eventlog.data_key enable always trigger note_destroyed_key;
