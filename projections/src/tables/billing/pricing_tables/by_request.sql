-- by_request: the first version of a price that a request opened
-- $1 request.
select * from billing.pricing_tables where request = $1 order by log_id, position limit 1
