-- Feeds of workers and children beside those of units, and how far members have read.

-- Which children an event is about, for their feeds. Written by the database itself, so that no service can forget a
-- child, also not a sibling whom the actor does not see.
create table outbox_subjects (
    event_id uuid not null references outbox (event_id) on delete cascade,
    child_id uuid not null references children (id),
    -- The event's place, given with it.
    seq bigint,
    primary key (event_id, child_id)
);
create index on outbox_subjects (child_id, seq);

-- The event's time and place stand with each of its audience too: a page of a feed and an unread count are one range
-- of one index.
alter table outbox_audience add column recorded_at timestamptz, add column seq bigint;

grant select, insert on outbox_subjects to hearth_rights;
grant select, update on outbox_audience to hearth_rights;
set local role hearth_rights;
update public.outbox_audience a set recorded_at = o.recorded_at, seq = o.seq
    from public.outbox o where o.event_id = a.event_id;
insert into public.outbox_subjects (event_id, child_id, seq)
    select o.event_id, c.child_id, o.seq from public.outbox o join public.cases c on c.id = o.case_id
    union
    select o.event_id, cc.child_id, o.seq from public.outbox o
    left join public.conference_invitations i on i.id = o.entity_id
    join public.conference_children cc on cc.conference_id in (o.entity_id, i.conference_id);
reset role;
revoke update on outbox_audience from hearth_rights;

alter table outbox_audience alter column recorded_at set not null;
create index on outbox_audience (holder_id, seq) include (recorded_at);

-- An audience is given with its event, by who caused it, before the event has its place; never later.
create or replace function hearth.audience_with_event() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if session_user = 'hearth_app' then
        if not exists (
            select from public.outbox o where o.event_id = new.event_id and o.seq is null and o.actor_id = hearth.worker()
              and o.xmin = pg_current_xact_id()::xid) then
            raise exception 'an event''s audience does not change' using errcode = 'HE003';
        end if;
    end if;
    select o.recorded_at, o.seq into new.recorded_at, new.seq from public.outbox o where o.event_id = new.event_id;
    return new;
end $$;

-- The case's child, and every child of the conference, also when the event is about one of its invitations.
create function hearth.subjects_with_event() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    insert into public.outbox_subjects (event_id, child_id, seq)
        select new.event_id, c.child_id, new.seq from public.cases c where c.id = new.case_id
        union
        select new.event_id, cc.child_id, new.seq from public.conference_children cc
        where cc.conference_id in (
            new.entity_id, (select i.conference_id from public.conference_invitations i where i.id = new.entity_id));
    return null;
end $$;
create trigger subjects_with_event after insert on outbox
    for each row execute function hearth.subjects_with_event();

alter table outbox_subjects enable row level security, force row level security;
create policy sequencing on outbox_subjects to hearth_relay using (true) with check (true);
create policy sequencing on outbox_audience to hearth_relay using (true) with check (true);
grant select (event_id), update (seq) on outbox_subjects, outbox_audience to hearth_relay;

-- At every delivery: who sees the child now, who manages the area now.
create policy delivering on outbox_subjects for select to hearth_bus using (true);
create policy delivering on sight for select to hearth_bus using (true);
create policy recipients on areas for select to hearth_bus using (true);
grant select on outbox_subjects to hearth_bus;
grant select (subject_id, holder_id, whole, until) on sight to hearth_bus;
grant select (id, service_manager_id) on areas to hearth_bus;

-- What a unit's stream brought to the viewer: a member at the event's time and now.
create policy recipient on outbox_audience for select to hearth_app using (
    seq is not null and kind = 'UNIT' and holder_id = any ((select hearth.holders())::uuid[])
    and exists (select from unit_memberships m
                where m.unit_id = holder_id and m.worker_id = (select hearth.worker())
                  and m.started_at <= recorded_at and (m.ended_at is null or m.ended_at > recorded_at)));
create policy recipient on outbox for select to hearth_app using (
    exists (select from outbox_audience a where a.event_id = outbox.event_id));
grant select on outbox, outbox_audience to hearth_app;

-- How far a member has read their unit's feed. Only forward.
create table feed_reads (
    worker_id uuid not null references workers (id),
    unit_id uuid not null references units (id),
    seq bigint not null check (seq >= 0),
    at timestamptz not null,
    primary key (worker_id, unit_id)
);
create index on feed_reads (unit_id);
alter table feed_reads enable row level security, force row level security;
create policy mine on feed_reads to hearth_app using (worker_id = (select hearth.worker()))
    with check (worker_id = (select hearth.worker()) and unit_id = any ((select hearth.holders())::uuid[]));
grant select, insert, update (seq, at) on feed_reads to hearth_app;
grant select on feed_reads to hearth_rights;

create function hearth.only_forward() returns trigger language plpgsql as $$
begin
    if new.seq < old.seq then
        raise exception 'what was read stays read' using errcode = 'HE003';
    end if;
    return new;
end $$;
create trigger only_forward before update on feed_reads for each row execute function hearth.only_forward();
revoke execute on function hearth.only_forward() from public;

-- For each unit of an event's audience to which the viewer belongs: how many of its recipients there have read so far,
-- and how many they are. Counts only, of positions that are nobody else's to read.
create function hearth.seen_by(event uuid) returns table (unit_id uuid, seen bigint, recipients bigint)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select a.holder_id, count(*) filter (where r.seq >= a.seq), count(*)
    from public.outbox_audience a
    join public.unit_memberships now on now.unit_id = a.holder_id
        and now.started_at <= (select hearth.at()) and (now.ended_at is null or now.ended_at > (select hearth.at()))
    join public.workers w on w.id = now.worker_id and w.active
    left join public.feed_reads r on r.worker_id = now.worker_id and r.unit_id = now.unit_id
    where a.event_id = event and a.kind = 'UNIT' and a.seq is not null
      and a.holder_id = any ((select hearth.holders())::uuid[])
      and exists (select from public.unit_memberships m
                  where m.unit_id = now.unit_id and m.worker_id = now.worker_id
                    and m.started_at <= a.recorded_at and (m.ended_at is null or m.ended_at > a.recorded_at))
    group by a.holder_id
$$;

-- How many events of the unit's stream a member has not read, at most 1,000; null for a unit that the viewer does not
-- belong to, and for who is no member.
create function hearth.unread(unit uuid, worker uuid) returns bigint
    language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select case when unit = any ((select hearth.holders())::uuid[]) and exists (
        select from public.unit_memberships m where m.unit_id = unit and m.worker_id = worker
          and m.started_at <= (select hearth.at()) and (m.ended_at is null or m.ended_at > (select hearth.at())))
    then (select count(*) from (
        select from public.unit_memberships m join public.outbox_audience a on a.holder_id = m.unit_id
        where m.unit_id = unit and m.worker_id = worker
          and a.recorded_at >= m.started_at and (m.ended_at is null or a.recorded_at < m.ended_at)
          and a.seq > coalesce((select r.seq from public.feed_reads r where r.worker_id = worker and r.unit_id = unit), 0)
        limit 1000) as events)
    end
$$;

-- As before, with the lead practitioner of each case: whom its events concern by name.
drop function hearth.conference_holders(uuid);
create function hearth.conference_holders(conference uuid) returns table (case_id uuid, unit_id uuid, lead_id uuid)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select cc.case_id, a.unit_id, i.worker_id
    from public.conference_children cc
    left join public.allocations a on a.case_id = cc.case_id and a.ended_at is null
    left join public.worker_involvements i
        on i.case_id = cc.case_id and i.capacity = 'LEAD_PRACTITIONER' and i.ended_at is null
    where cc.conference_id = conference
      and (hearth.everything() or exists (
          select from public.sight s where s.subject_id = conference and s.whole and s.holder_id = any (hearth.holders())))
$$;

grant create on schema hearth to hearth_rights;
alter function hearth.subjects_with_event() owner to hearth_rights;
alter function hearth.seen_by(uuid) owner to hearth_rights;
alter function hearth.unread(uuid, uuid) owner to hearth_rights;
alter function hearth.conference_holders(uuid) owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.subjects_with_event(), hearth.seen_by(uuid), hearth.unread(uuid, uuid),
    hearth.conference_holders(uuid) from public;
grant execute on function hearth.seen_by(uuid), hearth.unread(uuid, uuid), hearth.conference_holders(uuid) to hearth_app;
