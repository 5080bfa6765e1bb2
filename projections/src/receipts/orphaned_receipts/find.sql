-- find_orphan: what an orphan is about
-- $1 log, $2 the orphan.
select operator_id, operator_message_id
from dlr.orphaned_receipts
where orphan_id = $2 and log_id = $1
