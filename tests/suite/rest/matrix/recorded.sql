-- recorded: what the log of accesses shows of some requests, and with what each was refused
-- $1 the requests.
select request_id, refused_with from billing.access_log where request_id = any($1)
