-- find: an account, whosever it is
-- Should two tenants have registered it, the first one counts. $1 account.
select * from billing.accounts where account_id = $1 order by log_id, position limit 1
