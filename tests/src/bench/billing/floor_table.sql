-- floor_table: the floor's one table: a row per charged message, which is charged once
create schema floor;
create table floor.charge (
    message_id uuid not null,
    tenant_id uuid not null,
    account_id uuid not null,
    operator_id uuid not null,
    charged_at timestamptz not null,
    created_at timestamptz not null default now(),
    segment_count smallint not null,
    currency char(3) not null,
    direction text not null,
    dlr_status text not null,
    customer_price numeric(12, 6) not null,
    operator_cost numeric(12, 6) not null,
    constraint charge_pkey primary key (message_id)
);
