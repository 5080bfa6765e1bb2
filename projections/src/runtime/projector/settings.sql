-- set_projection_transaction: how a projection's transaction runs
-- Local to the transaction. See projector.rs for the reasons. No parameters.
set local synchronous_commit = off;
set local enable_seqscan = off;
set local enable_hashjoin = off;
set local enable_mergejoin = off
