-- announce: a row of the outbox ($1 subject, $2 event id, $3 payload)
insert into bench.outbox (subject, event_id, payload) values ($1, $2, $3)
