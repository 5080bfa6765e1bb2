-- floor_insert: a batch of charges; a message that is charged already stays as it is
-- An array per column; amounts in millionths.
insert into floor.charge (
    message_id, tenant_id, account_id, operator_id, charged_at, segment_count, currency,
    direction, dlr_status, customer_price, operator_cost
)
select
    c.message_id, c.tenant_id, c.account_id, c.operator_id, c.charged_at, c.segment_count,
    c.currency, c.direction, c.dlr_status, c.price * 0.000001, c.cost * 0.000001
from unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::smallint[],
    $7::text[], $8::text[], $9::text[], $10::bigint[], $11::bigint[]
) as c (
    message_id, tenant_id, account_id, operator_id, charged_at, segment_count,
    currency, direction, dlr_status, price, cost
)
on conflict (message_id) do nothing
