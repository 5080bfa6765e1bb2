-- bench: the tables that the ordinary way needs beside the orchestrator's
create schema bench;
create table bench.receipt (
    receipt_id uuid primary key default gen_random_uuid(),
    message_id uuid not null,
    tenant_id uuid not null,
    account_id uuid not null,
    operator_id text not null,
    operator_message_id text not null,
    dlr_status text not null,
    raw_stat text not null,
    error_code text,
    delivered_at timestamptz not null,
    received_at timestamptz not null,
    recorded_at timestamptz not null default now(),
    unique (message_id, operator_message_id, dlr_status)
);
create table bench.outbox (
    id bigint generated always as identity primary key,
    subject text not null,
    event_id uuid not null,
    payload text not null,
    created_at timestamptz not null default now()
);
