-- account_row: everything that the table keeps of a version of an account
-- $1 account.
select a::text from billing.account_versions a where account_id = $1
