-- bootstrap: the schema dlr and its history of migrations, both tollbook_owner's
-- Run inside a transaction. The history has the shape refinery expects; were it refinery that made
-- it, it would belong to whoever migrates, and a migration could not record itself as the owner.
set local role tollbook_owner;
create schema if not exists dlr;
create table if not exists dlr.migration (
    version integer primary key,
    name varchar(255),
    applied_on varchar(255),
    checksum varchar(255)
);
comment on table dlr.migration is 'Which migrations of this schema have been applied.';
comment on column dlr.migration.version is 'The number of the migration.';
comment on column dlr.migration.name is 'Its name.';
comment on column dlr.migration.applied_on is 'When, RFC 3339.';
comment on column dlr.migration.checksum is 'What it said; a changed migration is refused.';
