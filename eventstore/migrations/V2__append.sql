-- The append function, checkpoints and enrolment. They run as the owner (security definer), because
-- no service may write the tables itself. Their search path is fixed and names pg_temp, last: where
-- it is not named it comes first, and a type that the caller put there would run the caller's code.

-- append: records a batch of appends, one after the other, in one statement
-- Arrays named append_* have an entry per append, event_* per event, guard_* per distinct guard,
-- guarded_* per pair of an append and a guard of it; appends and guards go by their numbers (from
-- 1). Within one call no append may write or guard a stream that an earlier one writes
-- (eventstore::rounds sees to that).
-- Answers with the head before, the time recorded, and per append its stream's version before and
-- a verdict: 0 recorded, 1 already recorded, 2 diverged, 3 conflict, 4 guard moved. detail names
-- the diverged event or the moved guard's number, as text. A null verdict: all recorded.
-- all_or_none: if there are verdicts, nothing is recorded, and 0 says only that this append is not
-- the reason.
create function eventlog.append(
    p_log smallint,
    append_category text[], append_stream uuid[], append_expected integer[],
    guard_category text[], guard_stream uuid[], guard_version integer[],
    guarded_append integer[], guarded_guard integer[],
    event_append integer[], event_event_id uuid[], event_type text[],
    event_schema_version smallint[], event_tenant uuid[], event_account uuid[],
    event_occurred_at timestamptz[], event_cause uuid[], event_trace text[],
    event_principal text[], event_content_hash bytea[], event_payload text[], event_sealed text[],
    all_or_none boolean default false,
    out head_before bigint, out recorded timestamptz, out actual integer[],
    out verdict smallint[], out detail text[]
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
    readable text[];
    size bigint := cardinality(event_append);
    event_rank integer[];
    append_first integer[];
    guard_actual integer[];
    orderly boolean;
    categories text[];
    append_kind integer[];
    added bigint;
begin
    -- Whoever may not read a stream learns nothing of it by appending to it or guarding it. What may
    -- be appended is up to the policy on the events.
    select array_agg(p.category) into readable
    from eventlog.read_permission p where p.role = session_user;
    if not append_category <@ coalesce(readable, '{}')
        or not guard_category <@ coalesce(readable, '{}')
    then
        raise exception 'role % may append to and guard only streams of %',
            session_user, coalesce(readable, '{}')
            using errcode = 'insufficient_privilege';
    end if;

    -- Each append has events, and they stand together: streams and versions follow from that.
    select array_agg(a.first order by a.append), bool_and(a.last - a.first + 1 = a.events)
    into append_first, orderly
    from (
        select e.append, min(e.n)::integer as first, max(e.n) as last, count(*) as events
        from unnest(event_append) with ordinality as e (append, n)
        group by e.append
    ) a;
    if orderly is not true or cardinality(append_first) <> cardinality(append_stream)
        or event_append[1] <> 1
        or event_append[cardinality(event_append)] <> cardinality(append_stream)
    then
        raise exception 'events do not stand together in the order of their appends'
            using errcode = 'array_subscript_error';
    end if;
    -- One id twice would stand in a stream twice (L4). Where each append has one event it cannot.
    if size > cardinality(append_stream) and exists (
        select from unnest(event_append, event_event_id) as e (append, event_id)
        group by e.append, e.event_id having count(*) > 1
    ) then
        raise exception 'an append names an event twice' using errcode = 'unique_violation';
    end if;
    -- Looking up a text by its number is slow in a long array, so each append has the number of its
    -- category among the few there are; null where there is one, which is common.
    categories := append_category[1:1];
    if not append_category[1] = all (append_category) then
        categories := array(select distinct a.category from unnest(append_category) as a (category));
        append_kind := array(
            select array_position(categories, a.category)
            from unnest(append_category) with ordinality as a (category, n) order by a.n
        );
    end if;

    -- From here to the end of the transaction nobody else appends to this log, and the statements
    -- below see everything appended before.
    perform from eventlog.log l where l.log_id = p_log for update;
    if not found then
        raise exception 'log % does not exist', p_log using errcode = 'no_data_found';
    end if;
    select e.position, greatest(e.recorded_at, clock_timestamp()) into head_before, recorded
    from eventlog.event e where e.log_id = p_log order by e.position desc limit 1;
    if not found then
        head_before := 0;
        recorded := clock_timestamp();
    end if;

    actual := array(
        select coalesce((
            select e.version from eventlog.event e
            where e.log_id = p_log and e.stream_id = a.stream_id and e.category = a.category
            order by e.version desc limit 1
        ), 0)
        from unnest(append_stream, append_category) with ordinality as a (stream_id, category, n)
        order by a.n
    );

    -- Many appends of a batch share few guards, so each guard is looked up once.
    guard_actual := array(
        select coalesce((
            select e.version from eventlog.event e
            where e.log_id = p_log and e.stream_id = g.stream_id and e.category = g.category
            order by e.version desc limit 1
        ), 0)
        from unnest(guard_stream, guard_category) with ordinality as g (stream_id, category, n)
        order by g.n
    );

    -- A batch that only starts new streams while its guards hold, the common one, needs no look
    -- at what is there.
    if actual <> append_expected or 0 < any (actual) or guard_actual <> guard_version then
        select j.verdict, j.detail into verdict, detail
        from eventlog.judge(
            p_log, append_expected, actual,
            guard_actual, guard_version, guarded_append, guarded_guard,
            event_append, event_event_id, event_content_hash, categories, append_kind, append_stream
        ) j;
        if 0 = all (verdict) then
            verdict := null;
        elsif all_or_none then
            size := 0;
        else
            event_rank := array(
                select count(*) filter (where verdict[e.append] = 0) over (order by e.n)
                from unnest(event_append) with ordinality as e (append, n)
                order by e.n
            );
            size := coalesce(event_rank[cardinality(event_rank)], 0);
        end if;
    end if;

    if size > 0 then
        insert into eventlog.event (
            position, recorded_at, occurred_at, stream_id, event_id, tenant, account, cause,
            version, log_id, schema_version, category, type, principal, trace, content_hash,
            payload, sealed
        )
        select
            head_before + coalesce(event_rank[e.n], e.n), recorded, e.occurred_at,
            append_stream[e.append], e.event_id, e.tenant, e.account, e.cause,
            append_expected[e.append] + 1 + e.n::integer - append_first[e.append], p_log,
            e.schema_version, categories[coalesce(append_kind[e.append], 1)], e.type, e.principal,
            e.trace, e.content_hash, e.payload::json, e.sealed::json
        from unnest(
            event_append, event_event_id, event_type, event_schema_version,
            event_tenant, event_account, event_occurred_at, event_cause, event_trace,
            event_principal, event_content_hash, event_payload, event_sealed
        ) with ordinality as e (
            append, event_id, type, schema_version,
            tenant, account, occurred_at, cause, trace,
            principal, content_hash, payload, sealed, n
        )
        where verdict is null or verdict[e.append] = 0;

        -- Arrays of different lengths would add rows that belong to no append.
        get diagnostics added = row_count;
        if added <> size then
            raise exception 'an append of % events would add % rows', size, added
                using errcode = 'array_subscript_error';
        end if;
    end if;
end
$$;

-- judge: what becomes of each append, given the versions its streams are at
-- Only called by append, which holds the log.
create function eventlog.judge(
    p_log smallint, append_expected integer[], actual integer[],
    guard_actual integer[], guard_version integer[],
    guarded_append integer[], guarded_guard integer[],
    event_append integer[], event_event_id uuid[], event_content_hash bytea[],
    categories text[], append_kind integer[], append_stream uuid[],
    out verdict smallint[], out detail text[]
)
language sql volatile
set search_path = pg_catalog, pg_temp
set enable_seqscan = off set enable_nestloop = off set enable_mergejoin = off
set enable_hashjoin = on
as $$
    with known as materialized (
        -- Events of the batch whose id is in their stream already.
        select
            n.append,
            count(*) as events,
            (array_agg(n.event_id) filter (where n.content_hash <> e.content_hash))[1] as diverged
        from unnest(event_append, event_event_id, event_content_hash)
            as n (append, event_id, content_hash)
        join lateral (
            select old.content_hash from eventlog.event old
            where old.log_id = p_log and old.stream_id = append_stream[n.append]
                and old.category = categories[coalesce(append_kind[n.append], 1)]
                and old.event_id = n.event_id
            offset 0
        ) e on true
        where actual[n.append] > 0
        group by n.append
    ), size as materialized (
        select n.append, count(*) as events from unnest(event_append) as n (append) group by 1
    ), moved as materialized (
        -- The first guard of each append that does not hold, and where its stream is.
        select distinct on (g.append) g.append, g.guard as n, guard_actual[g.guard] as version
        from unnest(guarded_append, guarded_guard) as g (append, guard)
        where guard_actual[g.guard] <> guard_version[g.guard]
        order by g.append, g.guard
    ), judged as (
        select
            a.n,
            case
                when known.diverged is not null then 2
                when known.events = size.events then 1
                when actual[a.n] <> a.expected or known.events > 0 then 3
                when moved.n is not null then 4
                else 0
            end::smallint as verdict,
            coalesce(known.diverged::text, moved.n || ' ' || moved.version) as detail
        from unnest(append_expected) with ordinality as a (expected, n)
        join size on size.append = a.n
        left join known on known.append = a.n
        left join moved on moved.append = a.n
    )
    select array_agg(verdict order by n), array_agg(detail order by n) from judged
$$;

-- take_checkpoint: locks a projection's checkpoint until the transaction ends and says where it is
-- Null when another transaction holds it. A projection seen for the first time stands at 0. Only
-- the role that carries the projection may take it.
create function eventlog.take_checkpoint(p_log smallint, p_projection text) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off as $$
begin
    perform from eventlog.projection p
    where p.log_id = p_log and p.projection = p_projection and p.role = session_user
    for update skip locked;
    if found then
        -- A statement of its own: it sees what was committed before the lock was had.
        return coalesce((
            select g.position from eventlog.progress g
            where g.log_id = p_log and g.projection = p_projection order by g.position desc limit 1
        ), 0);
    end if;
    perform from eventlog.projection p
    where p.log_id = p_log and p.projection = p_projection and p.role = session_user;
    if not found then
        raise exception 'role % carries no projection % of log %', session_user, p_projection, p_log
            using errcode = 'insufficient_privilege';
    end if;
    return null;
end
$$;

-- advance_checkpoint: moves a checkpoint that this transaction has taken
-- What was applied was read from the log in which p_seen was recorded at p_seen_recorded. If this is
-- another log, or p_to is beyond what was seen of it, nothing is moved.
create function eventlog.advance_checkpoint(
    p_log smallint, p_projection text, p_from bigint, p_to bigint,
    p_seen bigint, p_seen_recorded timestamptz
) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off as $$
declare
    stood bigint;
begin
    if p_to > p_seen or eventlog.recorded_at(p_log, p_seen) is distinct from p_seen_recorded then
        raise exception 'checkpoint % of log % cannot move to %: the log is not the one that was read',
            p_projection, p_log, p_to
            using errcode = 'TBLOG';
    end if;
    -- Whoever has not taken it waits here for whoever has.
    perform from eventlog.projection p
    where p.log_id = p_log and p.projection = p_projection and p.role = session_user for update;
    if found then
        stood := coalesce((
            select g.position from eventlog.progress g
            where g.log_id = p_log and g.projection = p_projection order by g.position desc limit 1
        ), 0);
    end if;
    if stood is distinct from p_from or p_to < p_from then
        raise exception 'checkpoint % of log % is not at %', p_projection, p_log, p_from
            using errcode = 'object_not_in_prerequisite_state';
    end if;
    if p_from < p_to then
        insert into eventlog.progress (log_id, projection, position)
        values (p_log, p_projection, p_to);
        delete from eventlog.progress g
        where g.log_id = p_log and g.projection = p_projection and g.position = p_from;
    end if;
end
$$;

-- recorded_at: when the event at a position was recorded, whoever may read it; null beyond the head
-- Position and moment together tell one history of the log from another.
create function eventlog.recorded_at(p_log smallint, p_position bigint) returns timestamptz
language sql stable security definer set search_path = pg_catalog, pg_temp
set enable_seqscan = off as $$
    select e.recorded_at from eventlog.event e where e.log_id = p_log and e.position = p_position
$$;

-- use_master_key: makes sure that a data key is wrapped by the version that wraps here, and by the
-- key which that version means here: what another key wraps nobody else could open
-- The newest version in eventlog.master_key wraps. The first is set by whoever wraps the first data
-- key, each later one by begin_master_key, so no service can make itself or others use another.
create function eventlog.use_master_key(p_version smallint, p_check bytea) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    wraps smallint;
    known bytea;
begin
    insert into eventlog.master_key (version, check_value)
    select p_version, p_check where not exists (select from eventlog.master_key)
    on conflict do nothing;
    -- Held until the data key is there: begin_master_key waits for it.
    loop
        select m.version, m.check_value into wraps, known
        from eventlog.master_key m order by m.version desc limit 1 for share;
        exit when not exists (select from eventlog.master_key m where m.version > wraps);
    end loop;
    if wraps <> p_version then
        raise exception 'version % of the master key wraps here, and not %', wraps, p_version
            using errcode = 'TBVER', detail = wraps;
    end if;
    if known is distinct from p_check then
        raise exception 'version % of the master key means another key here', p_version
            using errcode = 'TBKEY', detail = left(encode(known, 'hex'), 16);
    end if;
end
$$;

-- begin_master_key: makes a version of the master key the one that wraps
-- When this is committed, no data key is being made under an older version, nor will one be.
create function eventlog.begin_master_key(p_version smallint, p_check bytea) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into eventlog.master_key (version, check_value) values (p_version, p_check)
    on conflict do nothing;
    perform from eventlog.master_key m where m.version < p_version order by m.version for update;
    perform eventlog.use_master_key(p_version, p_check);
end
$$;

-- enrol_tenant: gives a tenant a pseudonym and a data key, unless it has them
-- p_erased are the digests under which it may stand among the erased; empty for one that is
-- registered anew on purpose.
create function eventlog.enrol_tenant(
    p_tenant_id uuid, p_pseudonym uuid, p_wrapped bytea, p_master_key smallint, p_check bytea,
    p_erased bytea[]
) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform eventlog.use_master_key(p_master_key, p_check);
    insert into eventlog.tenant (pseudonym, tenant_id) values (p_pseudonym, p_tenant_id)
    on conflict do nothing;
    if found then
        -- Its row may be gone because it was erased a moment ago; a statement of its own sees that.
        perform from eventlog.erased_tenant e where e.digest = any (p_erased);
        if found then
            raise exception 'this tenant is erased' using errcode = 'TBERA';
        end if;
        insert into eventlog.data_key (tenant, wrapped, master_key)
        values (p_pseudonym, p_wrapped, p_master_key);
    end if;
end
$$;

-- enrol_day: gives a day its data key of that number, unless it has one
-- Only for days about now: nobody can take the keys of days to come.
create function eventlog.enrol_day(
    p_day date, p_number smallint, p_wrapped bytea, p_master_key smallint, p_check bytea
) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    today date := (now() at time zone 'UTC')::date;
begin
    if p_day is null or p_day not between today - 1 and today + 1 then
        raise exception 'today (%) no data key is made for %', today, p_day
            using errcode = 'invalid_parameter_value';
    end if;
    perform eventlog.use_master_key(p_master_key, p_check);
    insert into eventlog.data_key (day, number, wrapped, master_key)
    values (p_day, p_number, p_wrapped, p_master_key)
    on conflict do nothing;
end
$$;

-- rewrap_keys: puts data keys under a newer version of the master key, and says how many that were
-- Of each key p_was is how it is wrapped now: where that is no longer so, somebody was faster. No key
-- goes back to an older version, and the data keys themselves stay what they are.
create function eventlog.rewrap_keys(
    p_key_id bigint[], p_was bytea[], p_wrapped bytea[], p_master_key smallint, p_check bytea
) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    rewrapped bigint;
begin
    perform eventlog.use_master_key(p_master_key, p_check);
    -- Two at once wait for each other here, and not crosswise.
    perform from eventlog.data_key k where k.key_id = any (p_key_id) order by k.key_id for update;
    update eventlog.data_key k set wrapped = n.wrapped, master_key = p_master_key
    from unnest(p_key_id, p_was, p_wrapped) as n (key_id, was, wrapped)
    where k.key_id = n.key_id and k.wrapped = n.was and k.master_key < p_master_key;
    get diagnostics rewrapped = row_count;
    return rewrapped;
end
$$;
