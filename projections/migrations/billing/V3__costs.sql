-- One row per version of what one unit of a currency is in another, as a person entered it. Of no
-- tenant.
create table billing.exchange_rates (
    log_id smallint not null,
    position bigint not null,
    exchange_rate_id uuid not null,
    base_currency char(3) not null,
    quote_currency char(3) not null,
    rate numeric(20, 10) not null,
    effective_from timestamptz not null,
    effective_to timestamptz,
    created_by text not null,
    created_at timestamptz not null,
    closed_by text,
    changed_position bigint not null,
    request uuid not null,
    constraint exchange_rates_pkey primary key (exchange_rate_id, log_id),
    constraint exchange_rates_position_key unique (log_id, position),
    constraint exchange_rates_do_not_overlap exclude using gist (
        log_id with =, base_currency with =, quote_currency with =,
        tstzrange(effective_from, effective_to) with &&
    ),
    constraint exchange_rates_rate_is_positive check (rate > 0)
);
comment on table billing.exchange_rates is 'Every version of every exchange rate.';
comment on column billing.exchange_rates.log_id is 'The log it was opened in.';
comment on column billing.exchange_rates.position is 'Where in that log.';
comment on column billing.exchange_rates.exchange_rate_id is 'The version.';
comment on column billing.exchange_rates.base_currency is 'What is converted, ISO 4217.';
comment on column billing.exchange_rates.quote_currency is 'What it is converted to, ISO 4217.';
comment on column billing.exchange_rates.rate is
    'What one unit of base_currency is in quote_currency.';
comment on column billing.exchange_rates.effective_from is 'The first instant it is in effect.';
comment on column billing.exchange_rates.effective_to is
    'The first instant it is not in effect any more; null while it is open.';
comment on column billing.exchange_rates.created_by is 'Who opened it.';
comment on column billing.exchange_rates.created_at is 'When that was recorded.';
comment on column billing.exchange_rates.closed_by is 'Who moved its end last, if anybody did.';
comment on column billing.exchange_rates.changed_position is
    'Where in the log it was opened or closed last.';
comment on column billing.exchange_rates.request is 'The request that opened it.';

create index exchange_rates_of_a_request on billing.exchange_rates (request);
create index exchange_rates_changed on billing.exchange_rates (log_id, changed_position);

-- One row per change of a cost or an exchange rate, and how far the charges of its time are assessed
-- again. Of no tenant.
create table billing.cost_changes (
    log_id smallint not null,
    position bigint not null,
    version_id uuid not null,
    operator_id uuid,
    direction text,
    base_currency char(3),
    quote_currency char(3),
    effective_from timestamptz not null,
    effective_to timestamptz,
    ends timestamptz,
    created_at timestamptz not null,
    examined_count bigint not null default 0,
    changed_count bigint not null default 0,
    through_operator_id uuid,
    through_rated_at timestamptz,
    through_position bigint,
    advanced_position bigint,
    advanced_version integer,
    completed_at timestamptz,
    constraint cost_changes_pkey primary key (log_id, position),
    constraint cost_changes_is_of_a_cost_or_a_rate check (
        num_nonnulls(operator_id, direction) = 2 and num_nulls(base_currency, quote_currency) = 2
        or num_nulls(operator_id, direction) = 2 and num_nonnulls(base_currency, quote_currency) = 2
    )
);
comment on table billing.cost_changes is
    'What is known of costs and exchange rates since when, and what follows for charges.';
comment on column billing.cost_changes.log_id is 'The log it is recorded in.';
comment on column billing.cost_changes.position is 'Where in that log.';
comment on column billing.cost_changes.version_id is
    'The version of a cost or an exchange rate that was opened or closed.';
comment on column billing.cost_changes.operator_id is 'Of a cost: which carrier''s.';
comment on column billing.cost_changes.direction is 'Of a cost: MT to a handset, MO from one.';
comment on column billing.cost_changes.base_currency is 'Of an exchange rate: what is converted.';
comment on column billing.cost_changes.quote_currency is 'Of an exchange rate: to what.';
comment on column billing.cost_changes.effective_from is
    'The first instant for which something changed.';
comment on column billing.cost_changes.effective_to is
    'The first instant for which nothing changed any more; null if there is none.';
comment on column billing.cost_changes.ends is
    'The end that the version has since; null while it is open.';
comment on column billing.cost_changes.created_at is 'When the change was recorded.';
comment on column billing.cost_changes.examined_count is 'How many charges were looked at so far.';
comment on column billing.cost_changes.changed_count is 'How many of them cost something else now.';
comment on column billing.cost_changes.through_operator_id is
    'The last charge that was looked at: through which carrier.';
comment on column billing.cost_changes.through_rated_at is 'The same: for which time.';
comment on column billing.cost_changes.through_position is 'The same: where in the log.';
comment on column billing.cost_changes.advanced_position is
    'Where in the log that is recorded; null before the first charge was looked at.';
comment on column billing.cost_changes.advanced_version is
    'The version that the stream of assessments has with it.';
comment on column billing.cost_changes.completed_at is
    'When all of its charges were assessed again; null while that is to be done.';

create index cost_changes_pending on billing.cost_changes (log_id, position)
    where completed_at is null;
create index cost_changes_of_a_version on billing.cost_changes (version_id, position);
create index cost_changes_advanced on billing.cost_changes (log_id, advanced_position)
    where advanced_position is not null;

-- One row per time that a charge was assessed again. What it cost when it was recorded is in the
-- event of the charge; what it costs now is in billing.billing_events.
create table billing.cost_assessments (
    log_id smallint not null,
    position bigint not null,
    charge_position bigint not null,
    message_id uuid not null,
    tenant_id uuid not null,
    account_id uuid not null,
    cause bigint not null,
    operator_cost_id uuid,
    due boolean not null,
    operator_cost numeric(12, 6) not null,
    cost_currency char(3),
    exchange_rate_id uuid,
    exchange_rate numeric(20, 10),
    converted_cost numeric(12, 6),
    margin numeric(12, 6),
    currency char(3) not null,
    created_at timestamptz not null,
    constraint cost_assessments_pkey primary key (log_id, charge_position, position)
);
comment on table billing.cost_assessments is 'What charges were found to cost after they were recorded.';
comment on column billing.cost_assessments.log_id is 'The log it is recorded in.';
comment on column billing.cost_assessments.position is 'Where in that log.';
comment on column billing.cost_assessments.charge_position is 'Where in that log the charge is.';
comment on column billing.cost_assessments.message_id is 'The message.';
comment on column billing.cost_assessments.tenant_id is
    'Whose message; the pseudonym once that tenant is erased.';
comment on column billing.cost_assessments.account_id is 'On which account.';
comment on column billing.cost_assessments.cause is
    'Where in the log the change of a cost or an exchange rate is that made it necessary.';
comment on column billing.cost_assessments.operator_cost_id is
    'The version of the cost; null where the carrier has none.';
comment on column billing.cost_assessments.due is
    'Whether the carrier takes it for the message''s status.';
comment on column billing.cost_assessments.operator_cost is
    'What the carrier takes, in cost_currency; 0 without a cost.';
comment on column billing.cost_assessments.cost_currency is
    'What the carrier is paid in, ISO 4217; null without a cost.';
comment on column billing.cost_assessments.exchange_rate_id is
    'The version of the exchange rate; null if nothing is converted.';
comment on column billing.cost_assessments.exchange_rate is
    'What one unit of cost_currency was in currency.';
comment on column billing.cost_assessments.converted_cost is
    'operator_cost in currency; null where nobody entered an exchange rate.';
comment on column billing.cost_assessments.margin is
    'The charge''s price less converted_cost; null where that is not known.';
comment on column billing.cost_assessments.currency is 'What the charge is paid in, ISO 4217.';
comment on column billing.cost_assessments.created_at is 'When it was recorded.';

create index cost_assessments_of_a_tenant on billing.cost_assessments (tenant_id);

-- As for the tables of V1.
alter table billing.cost_assessments enable row level security;
alter table billing.cost_assessments force row level security;
create policy own_tenant on billing.cost_assessments for select
    using (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid));
create policy every_tenant on billing.cost_assessments to billing_svc
    using ((select current_setting('app.every_tenant', true)) = 'on')
    with check ((select current_setting('app.every_tenant', true)) = 'on');
create policy auditor_reads on billing.cost_assessments for select to auditor using (true);
create policy admin_rebuilds on billing.cost_assessments to tollbook_admin
    using (true) with check (true);
