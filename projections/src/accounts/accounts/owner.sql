-- find_owner_of_account: who registered an account
-- $1 log, $2 account.
select a.tenant_id from billing.accounts a
where a.log_id = $1 and a.account_id = $2
