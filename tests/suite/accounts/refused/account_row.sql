-- account_row: everything that the table keeps of an account
-- $1 account.
select a::text from billing.accounts a where account_id = $1
