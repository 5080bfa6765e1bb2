-- shown: whose data an access was about, and whether it was refused
-- $1 the request.
select tenant_id, refused_with is not null from billing.access_log where request_id = $1
