-- floor_table: a plain table with the log's columns and keys, and nothing else that the log has
-- No policies, no triggers, no function; a sequence numbers its rows, with gaps.
create schema floor;
create sequence floor.position;
create table floor.event (like eventlog.event including all);
alter table floor.event
    alter column position set default nextval('floor.position'),
    alter column recorded_at set default clock_timestamp();
