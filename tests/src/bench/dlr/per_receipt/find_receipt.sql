-- find_receipt: whether a receipt is known ($1 message, $2 the operator's id of it, $3 status)
select 1 from bench.receipt
where message_id = $1 and operator_message_id = $2 and dlr_status = $3
