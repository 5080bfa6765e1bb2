-- twice: the same event, appended and appended again
do $$
declare
    fact pg_catalog.uuid := gen_random_uuid();
    told record;
begin
    for told in select from generate_series(1, 2) loop
        perform eventlog.append(
            1::int2, array['message'], array[fact], array[0],
            '{}', '{}', '{}', '{}', '{}',
            array[1], array[fact], array['MessageSettled'], array[1]::pg_catalog.int2[],
            array[null]::pg_catalog.uuid[], array[null]::pg_catalog.uuid[], array[now()],
            array[null]::pg_catalog.uuid[], array[null]::pg_catalog.text[],
            array['dlr'], array['\x00'::pg_catalog.bytea], array['{}'],
            array[null]::pg_catalog.text[]
        );
    end loop;
end
$$
