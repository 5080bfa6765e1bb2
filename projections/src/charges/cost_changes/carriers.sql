-- list_carriers_paid_in: the carriers that were ever to be paid in a currency, in order
-- $1 log, $2 currency.
select distinct operator_id from billing.operator_costs
where log_id = $1 and currency = $2
order by operator_id
