-- One row per contradiction: a message was settled again, and said something else. What counts is
-- what was said first; it stands beside what was said then, so that a person can see what differs.
-- Nothing in a row changes.
create table billing.charge_conflicts (
    log_id smallint not null,
    position bigint not null,
    conflict_id uuid not null,
    message_id uuid not null,
    differs text[] not null,
    recorded_at timestamptz not null,
    source_event_id uuid not null,
    tenant_id uuid not null,
    account_id uuid not null,
    operator_id uuid not null,
    direction text not null,
    segment_count smallint not null,
    dlr_status text not null,
    occurred_at timestamptz not null,
    charged_at timestamptz not null,
    stated_tier text,
    stated_currency char(3),
    first_source_event_id uuid not null,
    first_tenant_id uuid not null,
    first_account_id uuid not null,
    first_operator_id uuid not null,
    first_direction text not null,
    first_segment_count smallint not null,
    first_dlr_status text not null,
    first_occurred_at timestamptz not null,
    first_charged_at timestamptz not null,
    first_stated_tier text,
    first_stated_currency char(3),
    constraint charge_conflicts_pkey primary key (log_id, position),
    constraint charge_conflicts_something_differs check (cardinality(differs) > 0)
);
comment on table billing.charge_conflicts is 'What contradicts the first settlement of a message.';
comment on column billing.charge_conflicts.log_id is 'The log it is recorded in.';
comment on column billing.charge_conflicts.position is 'Where in that log.';
comment on column billing.charge_conflicts.conflict_id is 'Its event.';
comment on column billing.charge_conflicts.message_id is 'The message.';
comment on column billing.charge_conflicts.differs is
    'In what it differs: names of fields of the announcement.';
comment on column billing.charge_conflicts.recorded_at is 'When it was recorded.';
comment on column billing.charge_conflicts.source_event_id is 'The announcement.';
comment on column billing.charge_conflicts.tenant_id is
    'Whose message it says; the pseudonym once that tenant is erased.';
comment on column billing.charge_conflicts.account_id is 'On which account, it says.';
comment on column billing.charge_conflicts.operator_id is 'Through which carrier, it says.';
comment on column billing.charge_conflicts.direction is 'MT to a handset, MO from one, it says.';
comment on column billing.charge_conflicts.segment_count is 'SMS segments, it says.';
comment on column billing.charge_conflicts.dlr_status is 'The message''s final status, it says.';
comment on column billing.charge_conflicts.occurred_at is 'When that was reached, it says.';
comment on column billing.charge_conflicts.charged_at is 'What decides the price, it says.';
comment on column billing.charge_conflicts.stated_tier is 'The tier it names, if any.';
comment on column billing.charge_conflicts.stated_currency is 'The currency it names, ISO 4217, if any.';
comment on column billing.charge_conflicts.first_source_event_id is
    'The announcement that counts. Each of the following is what that one says.';
comment on column billing.charge_conflicts.first_tenant_id is
    'Whose message; the pseudonym once that tenant is erased.';
comment on column billing.charge_conflicts.first_account_id is 'On which account.';
comment on column billing.charge_conflicts.first_operator_id is 'Through which carrier.';
comment on column billing.charge_conflicts.first_direction is 'MT to a handset, MO from one.';
comment on column billing.charge_conflicts.first_segment_count is 'SMS segments.';
comment on column billing.charge_conflicts.first_dlr_status is 'The message''s final status.';
comment on column billing.charge_conflicts.first_occurred_at is 'When that was reached.';
comment on column billing.charge_conflicts.first_charged_at is 'What decides the price.';
comment on column billing.charge_conflicts.first_stated_tier is 'The tier it names, if any.';
comment on column billing.charge_conflicts.first_stated_currency is
    'The currency it names, ISO 4217, if any.';

-- Of one tenant or account in order; all of them in order by the key itself.
create index charge_conflicts_of_an_account
    on billing.charge_conflicts (tenant_id, account_id, position);

-- As every table of tenants: see the end of V1.
alter table billing.charge_conflicts enable row level security;
alter table billing.charge_conflicts force row level security;
create policy own_tenant on billing.charge_conflicts for select
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy every_tenant on billing.charge_conflicts to billing_svc
    using ((select current_setting('app.every_tenant', true)) = 'on')
    with check ((select current_setting('app.every_tenant', true)) = 'on');
create policy auditor_reads on billing.charge_conflicts for select to auditor using (true);
create policy admin_rebuilds on billing.charge_conflicts to tollbook_admin
    using (true) with check (true);
