-- registrations: how often the log says that somebody registered or changed an account
-- $1 account.
select count(*) from eventlog.event
where account = $1 and type in ('AccountRegistered', 'AccountChanged')
