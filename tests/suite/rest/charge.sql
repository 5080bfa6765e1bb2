-- charge: what a message was charged
-- $1 message; price and cost with all their decimals, and the version of the price.
select customer_price::text, operator_cost::text, pricing_table_id
from billing.billing_events
where message_id = $1
