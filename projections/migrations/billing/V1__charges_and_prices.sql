-- What was charged and at which prices, for people and other teams to read. Everything here is
-- derived from the log: it may be dropped at any time, and nothing is lost.

-- Compares ids and words for equality beside periods, in constraints that let no two overlap. A
-- trusted extension: whoever may create in the database may have it.
create extension if not exists btree_gist schema billing;

-- One row per charged message. What it costs is that which is known now; all else never changes.
create table billing.billing_events (
    log_id smallint not null,
    position bigint not null,
    billing_event_id uuid not null,
    message_id uuid not null,
    tenant_id uuid not null,
    account_id uuid not null,
    operator_id uuid not null,
    pricing_table_id uuid not null,
    operator_cost_id uuid,
    charged_at timestamptz not null,
    rated_at timestamptz not null,
    created_at timestamptz not null,
    segment_count smallint not null,
    own_price boolean not null,
    billed boolean not null,
    cost_missing boolean not null,
    clock_skew boolean not null,
    late boolean not null,
    currency char(3) not null,
    account_tier text not null,
    direction text not null,
    dlr_status text not null,
    customer_price numeric(12, 6) not null,
    operator_cost numeric(12, 6) not null,
    cost_currency char(3),
    exchange_rate_id uuid,
    converted_cost numeric(12, 6),
    margin numeric(12, 6),
    margin_unknown boolean not null generated always as (margin is null) stored,
    assessed_position bigint not null,
    constraint billing_events_pkey primary key (log_id, position),
    constraint billing_events_message_id_key unique (message_id, log_id)
);
comment on table billing.billing_events is 'Every charged message.';
comment on column billing.billing_events.log_id is 'The log it is recorded in.';
comment on column billing.billing_events.position is 'Where in that log.';
comment on column billing.billing_events.billing_event_id is
    'The id of the event that records it.';
comment on column billing.billing_events.message_id is 'The message; charged once.';
comment on column billing.billing_events.tenant_id is
    'Whose message; the pseudonym once that tenant is erased.';
comment on column billing.billing_events.account_id is 'On which account.';
comment on column billing.billing_events.operator_id is 'Through which carrier.';
comment on column billing.billing_events.pricing_table_id is 'The version of the price.';
comment on column billing.billing_events.operator_cost_id is
    'The version of the cost; null where the carrier has none.';
comment on column billing.billing_events.charged_at is 'When it was settled, as announced.';
comment on column billing.billing_events.rated_at is
    'The time that chose the versions: charged_at, or when the announcement came if that was '
    'before.';
comment on column billing.billing_events.created_at is 'When the charge was recorded.';
comment on column billing.billing_events.segment_count is 'SMS segments, 1 to 10.';
comment on column billing.billing_events.own_price is
    'Whether the price is the tenant''s own, not the platform''s.';
comment on column billing.billing_events.billed is
    'Whether the price charges for this status; if not, customer_price is 0.';
comment on column billing.billing_events.cost_missing is
    'For review: the carrier has no cost, so operator_cost is 0.';
comment on column billing.billing_events.clock_skew is
    'For review: charged_at lay further ahead of the arrival than clocks may be apart.';
comment on column billing.billing_events.late is
    'For review: the announcement came long after charged_at.';
comment on column billing.billing_events.currency is
    'What is paid in, of customer_price, converted_cost and margin; ISO 4217.';
comment on column billing.billing_events.account_tier is 'The tier that chose the price.';
comment on column billing.billing_events.direction is 'MT to a handset, MO from one.';
comment on column billing.billing_events.dlr_status is 'The message''s final status.';
comment on column billing.billing_events.customer_price is 'What the customer pays.';
comment on column billing.billing_events.operator_cost is
    'What the carrier takes, in cost_currency; 0 without a cost.';
comment on column billing.billing_events.cost_currency is
    'What the carrier is paid in, ISO 4217; null without a cost.';
comment on column billing.billing_events.exchange_rate_id is
    'The version of the exchange rate that operator_cost is converted by; null if none is.';
comment on column billing.billing_events.converted_cost is
    'operator_cost in currency; null where nobody entered an exchange rate.';
comment on column billing.billing_events.margin is
    'customer_price less converted_cost; may be negative; null where that is not known.';
comment on column billing.billing_events.margin_unknown is
    'For review: the cost is in another currency, without an exchange rate.';
comment on column billing.billing_events.assessed_position is
    'Where in the log stands what it costs: the charge, or a later assessment.';

-- An account's charges of a time, for invoices, for what a price was used for, and for whoever looks
-- at them page by page: the position tells those of one instant apart.
create index billing_events_of_an_account
    on billing.billing_events (tenant_id, account_id, rated_at, position);

-- A carrier's charges of a time, for costs that are assessed again and for margins.
create index billing_events_of_a_carrier
    on billing.billing_events (operator_id, rated_at, position);

-- What each account used in each hour, by carrier and currency: sums of billing.billing_events.
-- The hour is that of rated_at, the time we believe, not that of charged_at: a clock that is a
-- year ahead does not move usage into next year.
create table billing.usage_summaries (
    tenant_id uuid not null,
    account_id uuid not null,
    hour timestamptz not null,
    operator_id uuid not null,
    message_count bigint not null,
    segment_count bigint not null,
    currency char(3) not null,
    customer_price numeric(20, 6) not null,
    operator_cost numeric(20, 6) not null,
    margin numeric(20, 6) not null,
    cost_missing_count bigint not null,
    margin_unknown_count bigint not null,
    price_millionths bigint not null
        generated always as ((customer_price * 1000000)::bigint) stored,
    cost_millionths bigint not null
        generated always as ((operator_cost * 1000000)::bigint) stored,
    margin_millionths bigint not null generated always as ((margin * 1000000)::bigint) stored,
    log_id smallint not null,
    position bigint not null,
    constraint usage_summaries_pkey
        primary key (tenant_id, account_id, hour, currency, operator_id, log_id),
    constraint usage_summaries_hour_is_whole
        check (date_trunc('hour', hour at time zone 'UTC') = hour at time zone 'UTC')
) with (fillfactor = 70);
comment on table billing.usage_summaries is 'What each account used in each hour.';
comment on column billing.usage_summaries.tenant_id is
    'Whose account; the pseudonym once that tenant is erased.';
comment on column billing.usage_summaries.account_id is 'The account.';
comment on column billing.usage_summaries.hour is 'When the hour begins, by rated_at.';
comment on column billing.usage_summaries.operator_id is 'Through which carrier.';
comment on column billing.usage_summaries.message_count is 'Charged messages.';
comment on column billing.usage_summaries.segment_count is 'Their SMS segments.';
comment on column billing.usage_summaries.currency is 'Of all amounts, ISO 4217.';
comment on column billing.usage_summaries.customer_price is 'What the customer pays for them.';
comment on column billing.usage_summaries.operator_cost is
    'What the carrier takes for them, in currency, as far as that is known.';
comment on column billing.usage_summaries.margin is 'The sum of their margins, as far as these are known.';
comment on column billing.usage_summaries.cost_missing_count is 'How many of them have no cost.';
comment on column billing.usage_summaries.margin_unknown_count is
    'How many of them are in neither operator_cost nor margin: they need an exchange rate.';
comment on column billing.usage_summaries.price_millionths is
    'customer_price as a whole number of millionths, which adds up several times as fast.';
comment on column billing.usage_summaries.cost_millionths is 'The same of operator_cost.';
comment on column billing.usage_summaries.margin_millionths is 'The same of margin.';
comment on column billing.usage_summaries.log_id is 'The log they are recorded in.';
comment on column billing.usage_summaries.position is 'Where in that log the last of them is.';

-- The same by day (UTC): sums of billing.usage_summaries. A year of an account is a thousand rows
-- here and tens of thousands there, which is the difference between an answer at once and a wait.
create table billing.usage_days (
    tenant_id uuid not null,
    account_id uuid not null,
    day date not null,
    operator_id uuid not null,
    message_count bigint not null,
    segment_count bigint not null,
    currency char(3) not null,
    customer_price numeric(20, 6) not null,
    operator_cost numeric(20, 6) not null,
    margin numeric(20, 6) not null,
    cost_missing_count bigint not null,
    margin_unknown_count bigint not null,
    price_millionths bigint not null
        generated always as ((customer_price * 1000000)::bigint) stored,
    cost_millionths bigint not null
        generated always as ((operator_cost * 1000000)::bigint) stored,
    margin_millionths bigint not null generated always as ((margin * 1000000)::bigint) stored,
    log_id smallint not null,
    position bigint not null,
    constraint usage_days_pkey
        primary key (tenant_id, account_id, day, currency, operator_id, log_id)
) with (fillfactor = 70);
comment on table billing.usage_days is 'What each account used on each day.';
comment on column billing.usage_days.tenant_id is
    'Whose account; the pseudonym once that tenant is erased.';
comment on column billing.usage_days.account_id is 'The account.';
comment on column billing.usage_days.day is 'The day in UTC, by rated_at.';
comment on column billing.usage_days.operator_id is 'Through which carrier.';
comment on column billing.usage_days.message_count is 'Charged messages.';
comment on column billing.usage_days.segment_count is 'Their SMS segments.';
comment on column billing.usage_days.currency is 'Of all amounts, ISO 4217.';
comment on column billing.usage_days.customer_price is 'What the customer pays for them.';
comment on column billing.usage_days.operator_cost is
    'What the carrier takes for them, in currency, as far as that is known.';
comment on column billing.usage_days.margin is 'The sum of their margins, as far as these are known.';
comment on column billing.usage_days.cost_missing_count is 'How many of them have no cost.';
comment on column billing.usage_days.margin_unknown_count is
    'How many of them are in neither operator_cost nor margin: they need an exchange rate.';
comment on column billing.usage_days.price_millionths is
    'customer_price as a whole number of millionths, which adds up several times as fast.';
comment on column billing.usage_days.cost_millionths is 'The same of operator_cost.';
comment on column billing.usage_days.margin_millionths is 'The same of margin.';
comment on column billing.usage_days.log_id is 'The log they are recorded in.';
comment on column billing.usage_days.position is 'Where in that log the last of them is.';

-- What all accounts used on some days, for margins.
create index usage_days_by_day on billing.usage_days (day);

-- How far the usage of each log is counted. It moves with the sums, in one transaction: charges
-- up to here are in them, and however often they come again they are not added again.
create table billing.usage_counted (
    log_id smallint not null,
    position bigint not null,
    constraint usage_counted_pkey primary key (log_id)
) with (fillfactor = 10);
comment on table billing.usage_counted is 'How far the usage is counted.';
comment on column billing.usage_counted.log_id is 'Which log.';
comment on column billing.usage_counted.position is 'Charges up to here are counted.';

-- One row per version of a price. A version is in effect from its beginning up to, not including,
-- its end; closing it moves the end, nothing else ever changes. One that was withdrawn before it
-- began ends where it begins. A tenant's own versions and the platform's do not overlap among
-- themselves, each by a constraint of its own: there is no tenant that stands for none.
create table billing.pricing_tables (
    log_id smallint not null,
    position bigint not null,
    pricing_table_id uuid not null,
    tenant_id uuid,
    account_tier text not null,
    operator_id uuid not null,
    direction text not null,
    currency char(3) not null,
    pricing_model text not null,
    unit_price numeric(12, 6) not null,
    billable_statuses text[] not null,
    effective_from timestamptz not null,
    effective_to timestamptz,
    created_by text not null,
    created_at timestamptz not null,
    closed_by text,
    changed_position bigint not null,
    request uuid not null,
    constraint pricing_tables_pkey primary key (pricing_table_id, log_id),
    constraint pricing_tables_position_key unique (log_id, position),
    constraint pricing_tables_own_do_not_overlap exclude using gist (
        log_id with =, tenant_id with =, account_tier with =, operator_id with =,
        direction with =, currency with =, tstzrange(effective_from, effective_to) with &&
    ) where (tenant_id is not null),
    constraint pricing_tables_platforms_do_not_overlap exclude using gist (
        log_id with =, account_tier with =, operator_id with =, direction with =,
        currency with =, tstzrange(effective_from, effective_to) with &&
    ) where (tenant_id is null),
    constraint pricing_tables_account_tier_is_known
        check (account_tier in ('STARTER', 'GROWTH', 'ENTERPRISE', 'CUSTOM')),
    constraint pricing_tables_direction_is_known check (direction in ('MT', 'MO')),
    constraint pricing_tables_pricing_model_is_known
        check (pricing_model in ('PER_SEGMENT', 'FLAT_PER_MESSAGE')),
    constraint pricing_tables_unit_price_is_not_negative check (unit_price >= 0)
);
comment on table billing.pricing_tables is 'Every version of every price.';
comment on column billing.pricing_tables.log_id is 'The log it was opened in.';
comment on column billing.pricing_tables.position is 'Where in that log.';
comment on column billing.pricing_tables.pricing_table_id is 'The version.';
comment on column billing.pricing_tables.tenant_id is
    'Whose own price it is; null for the platform''s list; the pseudonym of an erased tenant.';
comment on column billing.pricing_tables.account_tier is 'For accounts of this tier.';
comment on column billing.pricing_tables.operator_id is 'For messages through this carrier.';
comment on column billing.pricing_tables.direction is 'MT to a handset, MO from one.';
comment on column billing.pricing_tables.currency is 'For accounts that pay in it, ISO 4217.';
comment on column billing.pricing_tables.pricing_model is
    'Whether unit_price is for a segment or for a message.';
comment on column billing.pricing_tables.unit_price is 'The price of one, in currency.';
comment on column billing.pricing_tables.billable_statuses is
    'The final statuses that are charged for.';
comment on column billing.pricing_tables.effective_from is 'The first instant it is in effect.';
comment on column billing.pricing_tables.effective_to is
    'The first instant it is not in effect any more; null while it is open.';
comment on column billing.pricing_tables.created_by is 'Who opened it.';
comment on column billing.pricing_tables.created_at is 'When that was recorded.';
comment on column billing.pricing_tables.closed_by is 'Who moved its end last, if anybody did.';
comment on column billing.pricing_tables.changed_position is
    'Where in the log it was opened or closed last.';
comment on column billing.pricing_tables.request is 'The request that opened it.';

create index pricing_tables_of_a_request on billing.pricing_tables (request);
create index pricing_tables_changed on billing.pricing_tables (log_id, changed_position);

-- One row per version of what a carrier takes, of the same kind. Of no tenant.
create table billing.operator_costs (
    log_id smallint not null,
    position bigint not null,
    operator_cost_id uuid not null,
    operator_id uuid not null,
    direction text not null,
    cost_per_segment numeric(12, 6) not null,
    currency char(3) not null,
    due_statuses text[] not null,
    effective_from timestamptz not null,
    effective_to timestamptz,
    created_by text not null,
    created_at timestamptz not null,
    closed_by text,
    changed_position bigint not null,
    request uuid not null,
    constraint operator_costs_pkey primary key (operator_cost_id, log_id),
    constraint operator_costs_position_key unique (log_id, position),
    constraint operator_costs_do_not_overlap exclude using gist (
        log_id with =, operator_id with =, direction with =,
        tstzrange(effective_from, effective_to) with &&
    ),
    constraint operator_costs_direction_is_known check (direction in ('MT', 'MO')),
    constraint operator_costs_cost_per_segment_is_not_negative check (cost_per_segment >= 0)
);
comment on table billing.operator_costs is 'Every version of what every carrier takes.';
comment on column billing.operator_costs.log_id is 'The log it was opened in.';
comment on column billing.operator_costs.position is 'Where in that log.';
comment on column billing.operator_costs.operator_cost_id is 'The version.';
comment on column billing.operator_costs.operator_id is 'The carrier.';
comment on column billing.operator_costs.direction is 'MT to a handset, MO from one.';
comment on column billing.operator_costs.cost_per_segment is 'For one SMS segment, in currency.';
comment on column billing.operator_costs.currency is 'What it is taken in, ISO 4217.';
comment on column billing.operator_costs.due_statuses is
    'The final statuses for which it is taken.';
comment on column billing.operator_costs.effective_from is 'The first instant it is in effect.';
comment on column billing.operator_costs.effective_to is
    'The first instant it is not in effect any more; null while it is open.';
comment on column billing.operator_costs.created_by is 'Who opened it.';
comment on column billing.operator_costs.created_at is 'When that was recorded.';
comment on column billing.operator_costs.closed_by is 'Who moved its end last, if anybody did.';
comment on column billing.operator_costs.changed_position is
    'Where in the log it was opened or closed last.';
comment on column billing.operator_costs.request is 'The request that opened it.';

create index operator_costs_of_a_request on billing.operator_costs (request);
create index operator_costs_changed on billing.operator_costs (log_id, changed_position);

-- One row per registered account. It belongs to one tenant and stays with it; what it is at a time
-- say its versions.
create table billing.accounts (
    log_id smallint not null,
    position bigint not null,
    tenant_id uuid not null,
    account_id uuid not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    changed_position bigint not null,
    constraint accounts_pkey primary key (log_id, account_id)
);
comment on table billing.accounts is 'Every registered account.';
comment on column billing.accounts.log_id is 'The log it was registered in.';
comment on column billing.accounts.position is 'Where in that log.';
comment on column billing.accounts.tenant_id is
    'Whose account; the pseudonym once that tenant is erased.';
comment on column billing.accounts.account_id is 'The account.';
comment on column billing.accounts.created_at is 'When it was registered.';
comment on column billing.accounts.changed_at is 'When a version of it was told last.';
comment on column billing.accounts.changed_position is 'Where in the log that was.';

create index accounts_by_tenant_id on billing.accounts (tenant_id);
create index accounts_in_order on billing.accounts (log_id, position);
create index accounts_changed on billing.accounts (log_id, changed_position);

-- One row per version of an account that was ever told. A version is in effect from its beginning
-- to the beginning of the next one of the account. One that was told again with the same beginning
-- is replaced: it stays as history, and is in effect no more.
create table billing.account_versions (
    log_id smallint not null,
    position bigint not null,
    tenant_id uuid not null,
    account_id uuid not null,
    effective_from timestamptz not null,
    account_tier text not null,
    currency char(3) not null,
    payment_terms_days smallint not null,
    invoice_language text not null,
    tax_category text not null,
    tax_rate numeric(5, 2) not null,
    tax_country char(2) not null,
    legal_name text,
    contact_name text,
    billing_address text,
    vat_id text,
    purchase_order text,
    sealed_version integer not null,
    created_by text not null,
    created_at timestamptz not null,
    replaced_position bigint,
    constraint account_versions_pkey primary key (log_id, position),
    constraint account_versions_account_tier_is_known
        check (account_tier in ('STARTER', 'GROWTH', 'ENTERPRISE', 'CUSTOM')),
    constraint account_versions_payment_terms_are_within_a_year
        check (payment_terms_days between 0 and 365),
    constraint account_versions_tax_category_is_known
        check (tax_category in ('S', 'Z', 'E', 'AE', 'K', 'G', 'O')),
    constraint account_versions_tax_rate_is_a_percentage
        check (tax_rate between 0 and 100 and (tax_rate = 0 or tax_category = 'S')),
    constraint account_versions_are_replaced_by_later_ones
        check (replaced_position > position)
);
comment on table billing.account_versions is 'Every version of every account.';
comment on column billing.account_versions.log_id is 'The log it was told in.';
comment on column billing.account_versions.position is 'Where in that log.';
comment on column billing.account_versions.tenant_id is
    'Whose account; the pseudonym once that tenant is erased.';
comment on column billing.account_versions.account_id is 'The account.';
comment on column billing.account_versions.effective_from is
    'The first instant it is in effect; it ends where the next one begins.';
comment on column billing.account_versions.account_tier is 'What the account has subscribed to.';
comment on column billing.account_versions.currency is 'What it pays in, ISO 4217.';
comment on column billing.account_versions.payment_terms_days is
    'How many days after its date an invoice is due.';
comment on column billing.account_versions.invoice_language is
    'The language of its invoices, BCP 47.';
comment on column billing.account_versions.tax_category is
    'Why it is taxed or is not, EN 16931.';
comment on column billing.account_versions.tax_rate is 'In percent; 0 but in category S.';
comment on column billing.account_versions.tax_country is 'Whose tax it is, ISO 3166-1.';
comment on column billing.account_versions.legal_name is 'The name it is invoiced under, sealed.';
comment on column billing.account_versions.contact_name is 'Who reads its invoices, sealed.';
comment on column billing.account_versions.billing_address is
    'The address on its invoices, JSON, sealed.';
comment on column billing.account_versions.vat_id is 'Its VAT id, sealed.';
comment on column billing.account_versions.purchase_order is
    'The customer''s own reference on its invoices, sealed.';
comment on column billing.account_versions.sealed_version is
    'Where these were sealed: the version of the event in the account''s stream.';
comment on column billing.account_versions.created_by is 'Who told it.';
comment on column billing.account_versions.created_at is 'When that was recorded.';
comment on column billing.account_versions.replaced_position is
    'Where in the log a version with the same beginning took its place; null while none did.';

-- An account's versions by time: of those that count each beginning once; its history in order.
create unique index account_versions_of_an_account
    on billing.account_versions (log_id, account_id, effective_from)
    where replaced_position is null;
create index account_versions_in_order
    on billing.account_versions (log_id, account_id, position);
create index account_versions_by_tenant_id on billing.account_versions (tenant_id);

-- One row per charge that had to wait, for a price or for an account. A row stays when the message
-- is charged; then it has an end.
create table billing.held_charges (
    log_id smallint not null,
    position bigint not null,
    message_id uuid not null,
    tenant_id uuid not null,
    account_id uuid not null,
    account_tier text,
    operator_id uuid not null,
    direction text not null,
    currency char(3),
    dlr_status text not null,
    segment_count smallint not null,
    charged_at timestamptz not null,
    rated_at timestamptz not null,
    reason text not null,
    held_at timestamptz not null,
    resolved_at timestamptz,
    constraint held_charges_pkey primary key (log_id, position),
    constraint held_charges_message_id_key unique (message_id, log_id)
);
comment on table billing.held_charges is 'Charges that wait, or once waited.';
comment on column billing.held_charges.log_id is 'The log it is recorded in.';
comment on column billing.held_charges.position is 'Where in that log.';
comment on column billing.held_charges.message_id is 'The message; held once at most.';
comment on column billing.held_charges.tenant_id is
    'Whose message; the pseudonym once that tenant is erased.';
comment on column billing.held_charges.account_id is 'On which account.';
comment on column billing.held_charges.account_tier is 'The tier a price was sought for, if known.';
comment on column billing.held_charges.operator_id is 'Through which carrier.';
comment on column billing.held_charges.direction is 'MT to a handset, MO from one.';
comment on column billing.held_charges.currency is
    'The currency a price was sought in, if known, ISO 4217.';
comment on column billing.held_charges.dlr_status is 'The message''s final status.';
comment on column billing.held_charges.segment_count is
    'SMS segments; more than 10 are held for that.';
comment on column billing.held_charges.charged_at is 'When it was settled, as announced.';
comment on column billing.held_charges.rated_at is 'The time a price was sought for.';
comment on column billing.held_charges.reason is 'What it waits for.';
comment on column billing.held_charges.held_at is 'When that was recorded.';
comment on column billing.held_charges.resolved_at is
    'When the message was charged; null while it waits.';

-- Only what waits is ever looked for: all of it in order, by what it waits for, by whose it is. Of
-- the rest only the last one, to see that something has changed.
create index held_charges_resolved on billing.held_charges (log_id, resolved_at)
    where resolved_at is not null;
create index held_charges_open on billing.held_charges (log_id, position)
    where resolved_at is null;
create index held_charges_open_for_a_price
    on billing.held_charges (operator_id, direction, currency, account_tier, rated_at)
    where resolved_at is null;
create index held_charges_open_of_an_account
    on billing.held_charges (tenant_id, account_id, rated_at)
    where resolved_at is null;

-- One row per access that is a fact: somebody looked at data that is not theirs, or wanted to. What
-- a caller was refused again within a minute is one row with a count.
create table billing.access_log (
    log_id smallint not null,
    position bigint not null,
    tenant_id uuid,
    account_id uuid,
    more_account_ids uuid[] not null,
    caller_tenant_id uuid not null,
    principal text not null,
    endpoint text not null,
    refused_with text,
    calls bigint not null,
    request_id uuid not null,
    occurred_at timestamptz not null,
    last_at timestamptz not null,
    created_at timestamptz not null,
    constraint access_log_pkey primary key (log_id, position),
    constraint access_log_calls_is_positive check (calls > 0),
    constraint access_log_last_is_not_first check (last_at >= occurred_at)
);
comment on table billing.access_log is 'Who looked at whose data, or was refused to.';
comment on column billing.access_log.log_id is 'The log it is recorded in.';
comment on column billing.access_log.position is 'Where in that log.';
comment on column billing.access_log.tenant_id is
    'Whose data; null where that is not known or of many; the pseudonym of an erased tenant.';
comment on column billing.access_log.account_id is
    'Which account; null for a list of many. Of a refusal: it may not exist.';
comment on column billing.access_log.more_account_ids is
    'Which other accounts the counted calls were about, the first twenty.';
comment on column billing.access_log.caller_tenant_id is
    'The tenant of who asked; the pseudonym once that tenant is erased.';
comment on column billing.access_log.principal is 'Who asked, as the log names them.';
comment on column billing.access_log.endpoint is 'What was asked.';
comment on column billing.access_log.refused_with is 'The code of the refusal; null if allowed.';
comment on column billing.access_log.calls is
    'How many calls it stands for: one, or all repeats within the minute after the first.';
comment on column billing.access_log.request_id is
    'The request, as our log lines name it; of several calls, the one that was refused first.';
comment on column billing.access_log.occurred_at is 'When; of several calls, when the first was.';
comment on column billing.access_log.last_at is 'When the last of several calls was.';
comment on column billing.access_log.created_at is 'When it was recorded.';

-- By day, by whose data it is, by who asked.
create index access_log_by_time on billing.access_log (occurred_at);
create index access_log_of_a_tenant on billing.access_log (tenant_id, occurred_at);
create index access_log_of_a_caller on billing.access_log (principal, occurred_at);

-- Who says which tenant it works for sees that one. The service may say that it works for all, as
-- its projections and the platform's own people do, and only then it may write. Both are said by
-- set_config(.., true) in a transaction; who says nothing sees nothing. A price of the platform
-- belongs to no tenant, so no tenant sees it. The settings stand in sub-selects: they are read once
-- per statement, not once per row.
do $$
declare
    target regclass;
begin
    foreach target in array array[
        'billing.billing_events', 'billing.usage_summaries', 'billing.usage_days',
        'billing.pricing_tables', 'billing.accounts', 'billing.account_versions',
        'billing.held_charges', 'billing.access_log'
    ]::regclass[] loop
        execute format('alter table %s enable row level security', target);
        execute format('alter table %s force row level security', target);
        execute format(
            'create policy own_tenant on %s for select
            using (tenant_id
                = (select nullif(current_setting(''app.tenant_id'', true), '''')::uuid))',
            target);
        execute format(
            'create policy every_tenant on %s to billing_svc
            using ((select current_setting(''app.every_tenant'', true)) = ''on'')
            with check ((select current_setting(''app.every_tenant'', true)) = ''on'')',
            target);
        execute format(
            'create policy auditor_reads on %s for select to auditor using (true)', target);
        execute format(
            'create policy admin_rebuilds on %s to tollbook_admin using (true) with check (true)',
            target);
    end loop;
end
$$;
