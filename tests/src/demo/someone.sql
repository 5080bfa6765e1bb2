-- someone: the first charge that was billed: whose it is, on which account, the message and its currency
select tenant_id, account_id, message_id, currency::text
from billing.billing_events where billed order by position limit 1
