-- Which open streams have lost their right, asked by the bus: for each worker and the topic (a unit, themselves, a child) that
-- they follow, why they may not any more; nothing for those who may.
create function hearth.ended_access(followers uuid[], topics uuid[], at timestamptz)
    returns table (place bigint, reason text)
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select f.place, case when r.holders is null then 'INACTIVE' when u.id is not null then 'NOT_A_MEMBER' else 'OUT_OF_SIGHT' end
    from unnest(followers, topics) with ordinality as f (worker, topic, place)
    left join lateral (select r.holders from public.rights r where r.worker_id = f.worker and r.started_at <= at
                       order by r.started_at desc limit 1) r on true
    left join public.units u on u.id = f.topic
    where r.holders is null
       or (f.topic <> all (r.holders)
           and not exists (
               select from public.sight s
               -- In part is enough: a unit that is asked to take a case over may listen, and hears when it sees the child whole.
               where s.subject_id = f.topic and s.holder_id = any (r.holders)
                 and (s.until is null or s.until > at)
                 and (s.allowed is null or f.worker = any (s.allowed))
                 and (s.barred is null or f.worker <> all (s.barred))));
end $$;
grant create on schema hearth to hearth_rights;
alter function hearth.ended_access(uuid[], uuid[], timestamptz) owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.ended_access(uuid[], uuid[], timestamptz) from public;
grant execute on function hearth.ended_access(uuid[], uuid[], timestamptz) to hearth_bus;
grant usage on schema hearth to hearth_bus;
