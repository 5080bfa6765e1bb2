-- settled: what billing has heard of every settled message, once each
select
    (e.payload -> 'settlement' ->> 'messageId')::uuid,
    t.tenant_id,
    e.account,
    (e.payload -> 'settlement' ->> 'operatorId')::uuid,
    (e.payload -> 'settlement' ->> 'segmentCount')::smallint,
    e.payload -> 'settlement' ->> 'dlrStatus',
    (e.payload -> 'settlement' ->> 'chargedAt')::timestamptz,
    (e.payload -> 'settlement' ->> 'receivedAt')::timestamptz,
    e.payload -> 'settlement' ->> 'statedTier',
    e.payload -> 'settlement' ->> 'statedCurrency'
from eventlog.event e
join eventlog.tenant t on t.pseudonym = e.tenant
where e.log_id = 1 and e.category = 'charge' and e.version = 1
