-- attempts: notes every event that a projection brings to its table, also one that is there already
create table public.attempt (target text not null, position bigint not null);
create function public.note_attempt() returns trigger
language plpgsql security definer set search_path = pg_catalog as $$
begin
    insert into public.attempt values (tg_table_name, new.position);
    return new;
end
$$;
create trigger note before insert on dlr.delivery_receipts
    for each row execute function public.note_attempt();
create trigger note before insert on dlr.orphaned_receipts
    for each row execute function public.note_attempt();
create trigger note before insert on dlr.orphan_resolutions
    for each row execute function public.note_attempt();
