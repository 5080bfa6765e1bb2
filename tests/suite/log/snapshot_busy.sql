-- snapshot_busy: $steps transactions, each an append and a step of a projection
do $$
declare
    stood bigint;
begin
    for step in 1..$steps loop
        perform eventlog.append(
            1::smallint, array['message'], array[gen_random_uuid()], array[0],
            '{}', '{}', '{}', '{}', '{}',
            array[1], array[gen_random_uuid()], array['MessageSettled'], array[1]::smallint[],
            array[null]::uuid[], array[null]::uuid[], array[now()], array[null]::uuid[],
            array[null]::text[], array['dlr'], array['\x00'::bytea], array['{}'],
            array[null]::text[]
        );
        stood := eventlog.take_checkpoint(1::smallint, 'sms_messages');
        perform eventlog.advance_checkpoint(
            1::smallint, 'sms_messages', stood, stood + 1,
            stood + 1, eventlog.recorded_at(1::smallint, stood + 1)
        );
        commit;
    end loop;
end
$$
