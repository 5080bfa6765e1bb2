-- join_whole_sets: has the next statement of the transaction join by hash or by order
-- The tables of a comparison are filled and emptied again and again, so no statistics fit them. Judged
-- by those, Postgres would look through all lines once for each message.
select set_config('enable_nestloop', 'off', true)
