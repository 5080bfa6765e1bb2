-- expire_keys_of_days: destroys the data keys of days that ended long enough ago, and says which days
-- $1 how many seconds ago. By the clock of the database, which also says what day it is for new keys.
delete from eventlog.data_key
where day < ((now() - make_interval(secs => $1)) at time zone 'UTC')::date
returning day
