-- lock_usage: nobody reads what accounts used until this transaction ends
lock table billing.usage_summaries in access exclusive mode
