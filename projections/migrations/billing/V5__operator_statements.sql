-- Carriers' statements: what comparing them showed, and the desk they are compared on. No row names a
-- tenant, so there is no policy.

-- One row per statement that was compared. A row never changes. All money in it is decimal text
-- with its currency beside it, as the event has it.
create table billing.operator_statements (
    log_id smallint not null,
    position bigint not null,
    statement_id uuid not null,
    operator_id uuid not null,
    first_day date not null,
    last_day date not null,
    currency char(3) not null,
    content text not null,
    sha256 text not null,
    line_count integer not null,
    sums jsonb not null,
    differences jsonb not null,
    compared_by text not null,
    compared_at timestamptz not null,
    created_at timestamptz not null,
    constraint operator_statements_pkey primary key (log_id, position),
    constraint operator_statements_statement_id_key unique (statement_id, log_id),
    constraint operator_statements_content_is_known check (content in ('MESSAGES', 'DAYS')),
    constraint operator_statements_days_are_in_order check (first_day <= last_day)
);
comment on table billing.operator_statements is
    'Carriers'' statements that were compared with what is recorded.';
comment on column billing.operator_statements.log_id is 'The log it is recorded in.';
comment on column billing.operator_statements.position is 'Where in that log.';
comment on column billing.operator_statements.statement_id is
    'The statement, as whoever brought it names it; compared once.';
comment on column billing.operator_statements.operator_id is 'Whose statement it is.';
comment on column billing.operator_statements.first_day is 'The first day it is about, UTC.';
comment on column billing.operator_statements.last_day is 'The last day, included.';
comment on column billing.operator_statements.currency is 'Of its costs, ISO 4217.';
comment on column billing.operator_statements.content is
    'Whether its lines are about messages or about days.';
comment on column billing.operator_statements.sha256 is 'SHA-256 of the file, hexadecimal.';
comment on column billing.operator_statements.line_count is 'Its lines without the header.';
comment on column billing.operator_statements.sums is
    'Per class of difference what both sides say, summed up.';
comment on column billing.operator_statements.differences is
    'The first differences of each class, by line.';
comment on column billing.operator_statements.compared_by is 'Who brought it.';
comment on column billing.operator_statements.compared_at is 'When they did.';
comment on column billing.operator_statements.created_at is 'When that was recorded.';

create index operator_statements_of_an_operator
    on billing.operator_statements (operator_id, log_id, position);

-- What follows is no record: it is empty but while a statement is compared, and may be emptied at any
-- time, which only ends the comparisons under way. Unlogged, for nothing in it outlives a crash.

-- One row per comparison under way, or left behind by a process that died. A few at most.
create table billing.operator_statement_uploads (
    upload uuid not null,
    began_at timestamptz not null default now()
);
comment on table billing.operator_statement_uploads is 'Statements that are being compared.';
comment on column billing.operator_statement_uploads.upload is 'One try of one caller.';
comment on column billing.operator_statement_uploads.began_at is
    'When; whoever comes hours later clears away what is left of it.';

-- One row per line of a statement about messages.
create unlogged table billing.operator_statement_lines (
    upload uuid not null,
    line integer not null,
    operator_message_id text not null,
    status text not null,
    segments bigint not null,
    cost numeric(20, 6)
);
comment on table billing.operator_statement_lines is 'Lines of statements that are being compared.';
comment on column billing.operator_statement_lines.upload is 'Of which comparison.';
comment on column billing.operator_statement_lines.line is 'Which line; the header is line 1.';
comment on column billing.operator_statement_lines.operator_message_id is
    'The carrier''s id of (a part of) a message.';
comment on column billing.operator_statement_lines.status is 'What the carrier''s word means.';
comment on column billing.operator_statement_lines.segments is 'SMS segments.';
comment on column billing.operator_statement_lines.cost is 'What the carrier takes, if it says so.';
create index operator_statement_lines_by_upload
    on billing.operator_statement_lines (upload, line);

-- One row per message of ours and id that the carrier gave to it, or to a part of it.
create unlogged table billing.operator_statement_charges (
    upload uuid not null,
    message_id uuid not null,
    operator_message_id text,
    rated_at timestamptz not null,
    in_period boolean not null,
    status text not null,
    segments bigint not null,
    cost numeric(12, 6),
    currency char(3)
);
comment on table billing.operator_statement_charges is
    'Messages of ours that statements are being compared with.';
comment on column billing.operator_statement_charges.upload is 'In which comparison.';
comment on column billing.operator_statement_charges.message_id is 'The message.';
comment on column billing.operator_statement_charges.operator_message_id is
    'The carrier''s id of it or of a part of it; null where no receipt is shown.';
comment on column billing.operator_statement_charges.rated_at is 'The time that its charge is of.';
comment on column billing.operator_statement_charges.in_period is
    'Whether that lies within the statement''s days; those beside them may only be matched.';
comment on column billing.operator_statement_charges.status is 'Its final status.';
comment on column billing.operator_statement_charges.segments is 'SMS segments.';
comment on column billing.operator_statement_charges.cost is
    'What the carrier takes as we know it; null where we know no cost.';
comment on column billing.operator_statement_charges.currency is 'Of the cost, ISO 4217.';
create index operator_statement_charges_by_upload
    on billing.operator_statement_charges (upload);

-- One row per line that is about a message of ours.
create unlogged table billing.operator_statement_matches (
    upload uuid not null,
    line integer not null,
    message_id uuid not null
);
comment on table billing.operator_statement_matches is 'Which line is about which message of ours.';
comment on column billing.operator_statement_matches.upload is 'In which comparison.';
comment on column billing.operator_statement_matches.line is 'The line.';
comment on column billing.operator_statement_matches.message_id is 'The message.';
create index operator_statement_matches_by_upload
    on billing.operator_statement_matches (upload);
