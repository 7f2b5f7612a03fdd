-- The second wall around an event, asked by the bus once for all that it is about to deliver: of these pairs of an event and
-- a worker, the places of those in which the worker may be told of the event at all. It reckons from `rights` and `sight`, like
-- the policies; the first wall reckons in Rust, from memberships and areas. Either alone keeps an event from whom it is not for.
create function hearth.may_be_told(events uuid[], workers uuid[], at timestamptz) returns setof bigint
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return query
    select p.place
    from unnest(events, workers) with ordinality as p (event, worker, place)
    join public.outbox e on e.event_id = p.event
    cross join lateral (select r.holders from public.rights r where r.worker_id = p.worker and r.started_at <= at
                        order by r.started_at desc limit 1) held
    left join lateral (select r.holders from public.rights r where r.worker_id = p.worker and r.started_at <= e.recorded_at
                       order by r.started_at desc limit 1) before on true
    -- Whom its audience reaches: through a unit, an area, by name.
    cross join lateral (
        select coalesce(bool_or(a.kind = 'UNIT' and a.holder_id = any (held.holders) and a.holder_id = any (before.holders)), false)
                   as unit,
               coalesce(bool_or(a.kind = 'AREA' and a.holder_id = any (held.holders)), false) as area,
               coalesce(bool_or(a.holder_id = p.worker and a.kind = 'WORKER'), false) as named,
               coalesce(bool_or(a.holder_id = p.worker and a.kind = 'FORMER'), false) as former,
               coalesce(bool_or(a.holder_id = p.worker and a.kind in ('LEAVING', 'ALONE')), false) as alone
        from public.outbox_audience a where a.event_id = p.event) reached
    -- Whether they see a child whom it is about, by a right of their own: no event is for a post.
    cross join lateral (
        select exists (
            select from public.outbox_subjects o join public.sight s on s.subject_id = o.child_id
            where o.event_id = p.event and s.whole and s.holder_id = any (held.holders)
              and s.holder_id <> all (array[hearth.whole_service(), hearth.queue()])
              and (s.until is null or s.until > at)
              and (s.allowed is null or p.worker = any (s.allowed))
              and (s.barred is null or p.worker <> all (s.barred))) as one) sees
    where (reached.unit or reached.alone or (reached.area and reached.named)
           or (sees.one and (reached.area or reached.named or reached.former)))
      -- No restriction and no denial keeps a child in it from them, unless they see another one.
      and (sees.one or not exists (
          select from public.outbox_subjects o join public.person_locks l on l.person_id = o.child_id
          where o.event_id = p.event and (p.worker <> all (l.allowed) or p.worker = any (l.barred))));
end $$;

-- How many events of the unit's stream a member has not read, at most 1,000; null for a unit that the viewer does not
-- belong to, and for who is no member. Only events that reached the member, and that the viewer may know of: what is kept
-- from the viewer moves no number that they read.
create or replace function hearth.unread(unit uuid, worker uuid) returns bigint
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
declare
    viewer uuid := hearth.worker();
    kept boolean := cardinality(hearth.kept_from(worker)) > 0;
    kept_from_viewer boolean := worker <> viewer and cardinality(hearth.kept_from(viewer)) > 0;
    since bigint;
begin
    if unit <> all (hearth.holders()) or not exists (
        select from public.unit_memberships m where m.unit_id = unit and m.worker_id = worker
          and m.started_at <= (select hearth.at()) and (m.ended_at is null or m.ended_at > (select hearth.at()))) then
        return null;
    end if;
    select r.seq into since from public.feed_reads r where r.worker_id = worker and r.unit_id = unit;
    return (select count(*) from (
        select from public.unit_memberships m join public.outbox_audience a on a.holder_id = m.unit_id
        where m.unit_id = unit and m.worker_id = worker
          and a.recorded_at >= m.started_at and (m.ended_at is null or a.recorded_at < m.ended_at)
          and a.seq > coalesce(since, 0)
          and case when kept then not hearth.withheld_from(a.event_id, worker, hearth.at()) else true end
          and case when kept_from_viewer then not hearth.withheld_from(a.event_id, viewer, hearth.at()) else true end
        limit 1000) as events);
end $$;

grant create on schema hearth to hearth_rights;
alter function hearth.may_be_told(uuid[], uuid[], timestamptz) owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.may_be_told(uuid[], uuid[], timestamptz) from public;
grant execute on function hearth.may_be_told(uuid[], uuid[], timestamptz) to hearth_bus;
