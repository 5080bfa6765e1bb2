-- What became of receipts, for people and other teams to read. Everything here is derived from
-- the log: it may be dropped at any time, and nothing is lost.

-- One row per accepted receipt, final or not, late ones included. A row never changes.
create table dlr.delivery_receipts (
    log_id smallint not null,
    position bigint not null,
    receipt_id uuid not null,
    message_id uuid not null,
    tenant_id uuid not null,
    account_id uuid not null,
    operator_id text not null,
    operator_message_id varchar(64) not null,
    raw_stat text not null,
    dlr_status text not null,
    error_code text,
    delivered_at timestamptz not null,
    source_addr text,
    dest_addr text,
    correlated_at timestamptz not null,
    created_at timestamptz not null default now(),
    constraint delivery_receipts_pkey primary key (log_id, position),
    constraint delivery_receipts_dlr_status_is_known check (dlr_status in
        ('DELIVERED', 'UNDELIVERED', 'EXPIRED', 'FAILED', 'REJECTED', 'UNKNOWN'))
);
comment on table dlr.delivery_receipts is 'Every accepted receipt.';
comment on column dlr.delivery_receipts.log_id is 'The log it is recorded in.';
comment on column dlr.delivery_receipts.position is 'Where in that log.';
comment on column dlr.delivery_receipts.receipt_id is 'The id of the event that records it.';
comment on column dlr.delivery_receipts.message_id is 'The message it is about.';
comment on column dlr.delivery_receipts.tenant_id is
    'Whose message; the pseudonym once that tenant is erased.';
comment on column dlr.delivery_receipts.account_id is 'On which account.';
comment on column dlr.delivery_receipts.operator_id is 'The carrier.';
comment on column dlr.delivery_receipts.operator_message_id is
    'The carrier''s id of (a part of) the message.';
comment on column dlr.delivery_receipts.raw_stat is 'The carrier''s word, as it wrote it.';
comment on column dlr.delivery_receipts.dlr_status is 'What the word means.';
comment on column dlr.delivery_receipts.error_code is 'The carrier''s error code.';
comment on column dlr.delivery_receipts.delivered_at is
    'When it happened, not before its message was handed in and not after it arrived.';
comment on column dlr.delivery_receipts.source_addr is 'The sender''s address, sealed.';
comment on column dlr.delivery_receipts.dest_addr is 'The recipient''s address, sealed.';
comment on column dlr.delivery_receipts.correlated_at is 'When it was recorded with its message.';
comment on column dlr.delivery_receipts.created_at is 'When this row was made.';

create index delivery_receipts_of_a_message
    on dlr.delivery_receipts (tenant_id, message_id);

-- The service and the auditor work across tenants; anybody else sees one tenant or nothing.
alter table dlr.delivery_receipts enable row level security;
alter table dlr.delivery_receipts force row level security;
create policy service_reads on dlr.delivery_receipts for select to dlr_svc using (true);
create policy service_writes on dlr.delivery_receipts for insert to dlr_svc with check (true);
create policy auditor_reads on dlr.delivery_receipts for select to auditor using (true);
create policy admin_rebuilds on dlr.delivery_receipts to tollbook_admin
    using (true) with check (true);
-- Billing looks up which ids a carrier gave to messages while it compares that carrier's statement,
-- and says so (projections/src/operator_statements/). It is granted the ids and nothing else.
create policy billing_compares on dlr.delivery_receipts for select to billing_svc
    using (operator_id = (select nullif(current_setting('app.operator_id', true), '')));
create policy own_tenant on dlr.delivery_receipts for select
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));

-- One row per receipt that matched no message in its grace period. Of no tenant, for none is
-- known. A row never changes, not even when the orphan finds its message.
create table dlr.orphaned_receipts (
    log_id smallint not null,
    position bigint not null,
    orphan_id uuid not null,
    operator_id text not null,
    operator_message_id varchar(64) not null,
    raw_stat text not null,
    dlr_status text not null,
    raw_payload text,
    delivered_at timestamptz not null,
    received_at timestamptz not null,
    message_hint uuid,
    constraint orphaned_receipts_pkey primary key (log_id, position),
    constraint orphaned_receipts_orphan_id_key unique (orphan_id, log_id),
    constraint orphaned_receipts_dlr_status_is_known check (dlr_status in
        ('DELIVERED', 'UNDELIVERED', 'EXPIRED', 'FAILED', 'REJECTED', 'UNKNOWN'))
);
comment on table dlr.orphaned_receipts is 'Receipts that matched no message when they came.';
comment on column dlr.orphaned_receipts.log_id is 'The log it is recorded in.';
comment on column dlr.orphaned_receipts.position is 'Where in that log.';
comment on column dlr.orphaned_receipts.orphan_id is 'The id of the event that records it.';
comment on column dlr.orphaned_receipts.operator_id is 'The carrier.';
comment on column dlr.orphaned_receipts.operator_message_id is 'The id nobody knew.';
comment on column dlr.orphaned_receipts.raw_stat is 'The carrier''s word, as it wrote it.';
comment on column dlr.orphaned_receipts.dlr_status is 'What the word means.';
comment on column dlr.orphaned_receipts.raw_payload is
    'Null: it is kept once, in the log. dlr.orphans shows it.';
comment on column dlr.orphaned_receipts.delivered_at is
    'When it happened, not before its message was handed in and not after it arrived.';
comment on column dlr.orphaned_receipts.received_at is 'When it reached us.';
comment on column dlr.orphaned_receipts.message_hint is 'The message the connector guessed.';

create index orphaned_receipts_of_an_operator
    on dlr.orphaned_receipts (operator_id, operator_message_id);
-- Reconciliation reads them by age, from both ends.
create index orphaned_receipts_by_time
    on dlr.orphaned_receipts (log_id, received_at, position);

-- One row per orphan that found its message; the receipt is then in dlr.delivery_receipts.
create table dlr.orphan_resolutions (
    log_id smallint not null,
    position bigint not null,
    orphan_id uuid not null,
    resolved_at timestamptz not null,
    resolved_receipt_id uuid,
    message_id uuid not null,
    constraint orphan_resolutions_pkey primary key (log_id, position),
    constraint orphan_resolutions_orphan_id_key unique (orphan_id, log_id)
);
comment on table dlr.orphan_resolutions is 'Orphans that found their message.';
comment on column dlr.orphan_resolutions.log_id is 'The log it is recorded in.';
comment on column dlr.orphan_resolutions.position is 'Where in that log.';
comment on column dlr.orphan_resolutions.orphan_id is 'The orphan.';
comment on column dlr.orphan_resolutions.resolved_at is 'When it found its message.';
comment on column dlr.orphan_resolutions.resolved_receipt_id is
    'Its row in dlr.delivery_receipts; null if that message keeps no more receipts.';
comment on column dlr.orphan_resolutions.message_id is 'The message it found.';

-- Orphans with what became of them and what the carrier sent (sealed, of a large one the
-- beginning), which is in the log alone; runs with the rights of whoever asks.
create view dlr.orphans with (security_invoker = true) as
select o.orphan_id, o.operator_id, o.operator_message_id, o.raw_stat, o.dlr_status,
    (select e.sealed ->> 'rawPayload' from eventlog.event e
        where e.log_id = o.log_id and e.position = o.position) as raw_payload,
    o.delivered_at, o.received_at, o.message_hint,
    r.resolved_at, r.resolved_receipt_id, r.message_id
from dlr.orphaned_receipts o
left join dlr.orphan_resolutions r on r.orphan_id = o.orphan_id and r.log_id = o.log_id;
comment on view dlr.orphans is 'Orphans with what became of them.';
