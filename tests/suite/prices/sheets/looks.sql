-- looks: how many looks at others' data one request made
-- $1 the request's id.
select count(*) from eventlog.event
where category = 'audit' and type = 'CrossAccountRead' and payload ->> 'requestId' = $1
