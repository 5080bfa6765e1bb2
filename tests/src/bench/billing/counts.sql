-- counts: charges in the log, in their table and in the usage of all accounts
select
    (select count(*) from eventlog.event e where e.type = 'MessageCharged'),
    (select count(*) from billing.billing_events),
    (select coalesce(sum(u.message_count), 0)::bigint from billing.usage_summaries u)
