-- settings: how a projection's transaction runs
-- Local to the transaction. See tables.rs for the reasons.
set local synchronous_commit = off;
set local enable_seqscan = off;
set local enable_hashjoin = off;
set local enable_mergejoin = off
