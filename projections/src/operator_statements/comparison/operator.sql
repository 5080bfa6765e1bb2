-- enter_operator: lets the transaction see which ids this carrier gave to messages
-- $1 carrier.
select set_config('app.operator_id', $1, true)
