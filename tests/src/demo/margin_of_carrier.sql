-- margin_of_carrier: what is left of a carrier's charges
-- $1 carrier.
select coalesce(sum(margin), 0)::text from billing.billing_events where operator_id = $1
