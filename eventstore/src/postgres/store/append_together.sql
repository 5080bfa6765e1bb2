-- append_events_together: records a round of appends in one transaction, all of them or none
-- See eventlog.append in migrations/V2__append.sql for what each array means.
select head_before, recorded, actual, verdict, detail
from eventlog.append(
    $1, $2, $3, $4,
    $5, $6, $7,
    $8, $9,
    $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
    all_or_none => true
)
