-- What accounts pay more or less than they were charged. One row per adjustment, from its proposal on;
-- it is decided once, and nothing else of it ever changes.
create table billing.adjustments (
    log_id smallint not null,
    position bigint not null,
    adjustment_id uuid not null,
    tenant_id uuid not null,
    account_id uuid not null,
    amount numeric(20, 6) not null,
    currency char(3) not null,
    message_id uuid,
    status text not null,
    reason text,
    reason_version integer not null,
    proposed_by text not null,
    proposed_at timestamptz not null,
    decided_by text,
    decided_at timestamptz,
    rejection_reason text,
    rejection_version integer,
    changed_position bigint not null,
    constraint adjustments_pkey primary key (log_id, position),
    constraint adjustments_adjustment_id_key unique (adjustment_id, log_id),
    constraint adjustments_amount_is_not_zero check (amount <> 0),
    constraint adjustments_status_is_known check (status in ('PROPOSED', 'APPROVED', 'REJECTED')),
    constraint adjustments_decided_by_somebody check (
        (status = 'PROPOSED') = (decided_by is null)
        and (status = 'PROPOSED') = (decided_at is null)
    ),
    constraint adjustments_only_rejections_have_a_reason
        check (status = 'REJECTED' or rejection_reason is null)
);
comment on table billing.adjustments is 'Every adjustment, proposed or decided.';
comment on column billing.adjustments.log_id is 'The log it was proposed in.';
comment on column billing.adjustments.position is 'Where in that log.';
comment on column billing.adjustments.adjustment_id is 'The adjustment.';
comment on column billing.adjustments.tenant_id is
    'Whose account; the pseudonym once that tenant is erased.';
comment on column billing.adjustments.account_id is 'The account.';
comment on column billing.adjustments.amount is
    'What the account pays more, in currency; less, if it is negative.';
comment on column billing.adjustments.currency is 'Of the amount, ISO 4217.';
comment on column billing.adjustments.message_id is
    'The charged message that it is about; null if it is about none.';
comment on column billing.adjustments.status is 'Whether it waits, counts, or never will.';
comment on column billing.adjustments.reason is 'Why it was proposed, sealed.';
comment on column billing.adjustments.reason_version is
    'Where that was sealed: the version of the event in the adjustment''s stream.';
comment on column billing.adjustments.proposed_by is 'Who proposed it.';
comment on column billing.adjustments.proposed_at is 'When that was recorded.';
comment on column billing.adjustments.decided_by is 'Who approved or rejected it; null while it waits.';
comment on column billing.adjustments.decided_at is
    'When that was recorded: the time at which an approved one counts.';
comment on column billing.adjustments.rejection_reason is 'Why it was rejected, sealed.';
comment on column billing.adjustments.rejection_version is 'Where that was sealed.';
comment on column billing.adjustments.changed_position is
    'Where in the log it was proposed or decided last.';

-- What waits, in order; what counts for an account, by time, for usage and for invoices.
create index adjustments_proposed on billing.adjustments (log_id, position)
    where status = 'PROPOSED';
create index adjustments_of_an_account
    on billing.adjustments (tenant_id, account_id, decided_at)
    where status = 'APPROVED';

-- As for the other tables of tenants (V1).
alter table billing.adjustments enable row level security;
alter table billing.adjustments force row level security;
create policy own_tenant on billing.adjustments for select
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy every_tenant on billing.adjustments to billing_svc
    using ((select current_setting('app.every_tenant', true)) = 'on')
    with check ((select current_setting('app.every_tenant', true)) = 'on');
create policy auditor_reads on billing.adjustments for select to auditor using (true);
create policy admin_rebuilds on billing.adjustments to tollbook_admin
    using (true) with check (true);
