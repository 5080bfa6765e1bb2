-- one: a version of a price
-- $1 version.
select * from billing.pricing_tables where pricing_table_id = $1
