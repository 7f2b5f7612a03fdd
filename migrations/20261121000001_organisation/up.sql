-- Workers, areas, units and who belongs to them (domain 2.2), and the functions every policy stands on.

create extension if not exists btree_gist;
create schema hearth;
grant usage on schema hearth to hearth_app, hearth_relay, hearth_bus, hearth_seed, hearth_rights;
revoke create on schema public from public;
grant usage on schema public to hearth_app, hearth_relay, hearth_bus, hearth_seed, hearth_rights;

-- The functions below read the identity that hearth.enter() left in the transaction. They raise when there is
-- none: a statement that runs before the identity is set must fail, never answer "nothing there".
create function hearth.worker() returns uuid language plpgsql stable parallel safe as $$
declare
    found text := nullif(current_setting('hearth.worker', true), '');
begin
    if found is null then
        raise exception 'no viewer in this transaction' using errcode = 'HE002';
    end if;
    return found::uuid;
end $$;

-- Whose sight the viewer has: their own, their units', their areas' and, for the front door, the queue's.
create function hearth.holders() returns uuid[] language plpgsql stable parallel safe as $$
declare
    found text := nullif(current_setting('hearth.holders', true), '');
begin
    if found is null then
        raise exception 'no viewer in this transaction' using errcode = 'HE002';
    end if;
    return found::uuid[];
end $$;

-- The moment of the operation.
create function hearth.at() returns timestamptz language plpgsql stable parallel safe as $$
declare
    found text := nullif(current_setting('hearth.at', true), '');
begin
    if found is null then
        raise exception 'no viewer in this transaction' using errcode = 'HE002';
    end if;
    return found::timestamptz;
end $$;

-- Whether the viewer is head of service, who sees every record that is not restricted.
create function hearth.everything() returns boolean language sql stable parallel safe as $$
    select coalesce(current_setting('hearth.everything', true) = 'on', false)
$$;

-- The records that a service has authorised for writing in this transaction: children, conferences.
create function hearth.writing() returns uuid[] language sql stable parallel safe as $$
    select coalesce(nullif(current_setting('hearth.writing', true), '')::uuid[], '{}'::uuid[])
$$;

create table workers (
    id uuid primary key,
    staff_no text not null unique,
    name text not null check (name <> ''),
    email text not null,
    sw_england_no text check (sw_england_no ~ '^(SW\d+|XX.*)$' and length(sw_england_no) >= 4),
    qualified boolean not null,
    active boolean not null default true,
    fte numeric(3, 2) not null default 1 check (fte > 0 and fte <= 1),
    agency_worker boolean not null default false,
    created_at timestamptz not null default now()
);

-- What a worker is beside any unit: first response, chair, head of service. Service managers stand on their area.
create table worker_posts (
    id uuid primary key,
    worker_id uuid not null references workers (id),
    post text not null check (post in ('FIRST_RESPONSE', 'CP_CHAIR', 'HEAD_OF_SERVICE')),
    started_at timestamptz not null,
    ended_at timestamptz check (ended_at > started_at),
    exclude using gist (worker_id with =, post with =, tstzrange(started_at, ended_at) with &&)
);
create index on worker_posts (worker_id);

create table areas (
    id uuid primary key,
    name text not null unique,
    service_manager_id uuid references workers (id),
    version integer not null default 1
);
create index on areas (service_manager_id);

create table units (
    id uuid primary key,
    name text not null unique check (name <> ''),
    service text not null check (service in (
        'FIRST_RESPONSE', 'ACCESS_ASSESSMENT', 'CHILDREN_IN_NEED', 'LOOKED_AFTER', 'ADOPTION',
        'FAMILY_SUPPORT', 'DISABLED_CHILDREN', 'FOSTERING', 'PLACEMENT_MANAGEMENT', 'SAFEGUARDING_REVIEW')),
    area_id uuid not null references areas (id),
    contact_point text,
    active_from date not null,
    active_to date check (active_to >= active_from),
    capacity_cases integer not null default 60 check (capacity_cases > 0),
    version integer not null default 1
);
create index on units (area_id);

create table unit_memberships (
    id uuid primary key,
    unit_id uuid not null references units (id),
    worker_id uuid not null references workers (id),
    role text not null check (role in (
        'CONSULTANT_SOCIAL_WORKER', 'SOCIAL_WORKER', 'CHILDRENS_PRACTITIONER', 'CLINICIAN', 'UNIT_COORDINATOR')),
    started_at timestamptz not null,
    ended_at timestamptz check (ended_at > started_at),
    fte numeric(3, 2) not null default 1 check (fte > 0 and fte <= 1),
    cover boolean not null default false,
    -- At most one active consultant social worker per unit, plus at most one who covers.
    constraint one_consultant_social_worker
        exclude using gist (unit_id with =, (cover::int) with =, tstzrange(started_at, ended_at) with &&)
        where (role = 'CONSULTANT_SOCIAL_WORKER'),
    constraint one_membership_at_a_time
        exclude using gist (unit_id with =, worker_id with =, tstzrange(started_at, ended_at) with &&)
);
create index on unit_memberships (worker_id);
create index on unit_memberships (unit_id);

-- Who may see which record, opened and closed by triggers on what gives the right: an allocation, an involvement,
-- a requested transfer, a conference's chair, the unallocated queue. One index probe answers every read policy.
create table sight (
    subject_id uuid not null,
    holder_id uuid not null,
    source_id uuid not null,
    -- false: the core of one case only (for a unit that is asked to take it over, for the queue). The subject is then
    -- the case and, for who the child is, the child.
    whole boolean not null,
    -- When it ends by itself: a chair's some time after the conference.
    until timestamptz,
    primary key (subject_id, holder_id, source_id) include (whole, until)
);
create index on sight (source_id);
-- For a statement over many rows the planner may rather read all that a viewer sees once.
create index on sight (holder_id, subject_id) include (whole, until);

-- What is seen with a child: the family, its adults, the conferences. Sight of the child opens them too.
create table sight_links (
    child_id uuid not null,
    subject_id uuid not null,
    source_id uuid not null,
    primary key (child_id, subject_id, source_id)
);
create index on sight_links (subject_id);
create index on sight_links (source_id);

create function hearth.queue() returns uuid language sql immutable parallel safe as $$
    select '00000000-0000-7000-8000-000000000001'::uuid
$$;

-- Sets the identity of this transaction: the worker, and in the same snapshot what opens records to them.
create function hearth.enter(entering uuid, at timestamptz) returns void
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    posts text[];
    area uuid[];
begin
    if not exists (select from public.workers w where w.id = entering and w.active) then
        raise exception 'not an active worker' using errcode = 'HE001';
    end if;
    select coalesce(array_agg(p.post), '{}') into posts from public.worker_posts p
        where p.worker_id = entering and p.started_at <= at and (p.ended_at is null or p.ended_at > at);
    select coalesce(array_agg(a.id), '{}') into area from public.areas a where a.service_manager_id = entering;
    perform set_config('hearth.worker', entering::text, true),
        set_config('hearth.at', at::text, true),
        set_config('hearth.everything', case when 'HEAD_OF_SERVICE' = any (posts) then 'on' else 'off' end, true),
        set_config('hearth.holders', (
            array[entering] || area
            || array(select m.unit_id from public.unit_memberships m
                     where m.worker_id = entering and m.started_at <= at and (m.ended_at is null or m.ended_at > at))
            || case when 'FIRST_RESPONSE' = any (posts) or cardinality(area) > 0
                    then array[hearth.queue()] else '{}'::uuid[] end)::text, true),
        set_config('hearth.writing', '', true);
end $$;

-- Sight of a child opens what is linked to the child, for those who see the child whole.
create function hearth.sight_follows_links() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    insert into public.sight (subject_id, holder_id, source_id, whole, until)
        select l.subject_id, new.holder_id, new.source_id, true, new.until from public.sight_links l
        where l.child_id = new.subject_id and l.subject_id <> new.subject_id
        on conflict do nothing;
    return null;
end $$;
create trigger sight_follows_links after insert on sight
    for each row when (new.whole) execute function hearth.sight_follows_links();

create function hearth.link_opens_sight() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        insert into public.sight (subject_id, holder_id, source_id, whole, until)
            select new.subject_id, s.holder_id, s.source_id, true, s.until from public.sight s
            where s.subject_id = new.child_id and s.whole
            on conflict do nothing;
    else
        delete from public.sight s using public.sight c
            where s.subject_id = old.subject_id and c.subject_id = old.child_id
              and c.source_id = s.source_id and c.holder_id = s.holder_id
              and not exists (select from public.sight_links l join public.sight o on o.subject_id = l.child_id
                              where l.subject_id = old.subject_id
                                and o.source_id = s.source_id and o.holder_id = s.holder_id);
    end if;
    return null;
end $$;
create trigger link_opens_sight after insert or delete on sight_links
    for each row execute function hearth.link_opens_sight();

-- Rights may be read by everybody who is somebody; nobody but the triggers writes them.
do $$
declare
    name text;
begin
    foreach name in array array['workers', 'worker_posts', 'areas', 'units', 'unit_memberships'] loop
        execute format('alter table %I enable row level security, force row level security', name);
        execute format('create policy directory on %I for select to hearth_app using ((select hearth.worker()) is not null)', name);
        execute format('create policy seeding on %I to hearth_seed using (true) with check (true)', name);
        execute format('grant select on %I to hearth_app, hearth_rights', name);
        execute format('grant select, insert on %I to hearth_seed', name);
    end loop;
end $$;
-- Who is a member, and who still works here, decides at every delivery.
create policy recipients on unit_memberships for select to hearth_bus using (true);
create policy recipients on workers for select to hearth_bus using (true);
grant select on unit_memberships to hearth_bus;
grant select (id, active) on workers to hearth_bus;

alter table sight enable row level security, force row level security;
alter table sight_links enable row level security, force row level security;
create policy mine on sight for select to hearth_app using (
    holder_id = any ((select hearth.holders())::uuid[]) and (until is null or until > (select hearth.at())));
grant select on sight to hearth_app;
grant select, insert, update, delete on sight, sight_links to hearth_rights;

-- A membership's past is never rewritten: it can only be ended, once.
create function hearth.only_ends() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception '% is never deleted', tg_table_name using errcode = 'HE003';
    end if;
    if old.ended_at is not null
        or to_jsonb(new) - array['ended_at', 'reason_end', 'change_reason', 'version']
           <> to_jsonb(old) - array['ended_at', 'reason_end', 'change_reason', 'version'] then
        raise exception '% is history: it can only be ended, once', tg_table_name using errcode = 'HE003';
    end if;
    return new;
end $$;
create trigger only_ends before update or delete on unit_memberships
    for each row execute function hearth.only_ends();

-- One policy shape for everything that belongs to a child (or to a subject that is seen with one): read by sight,
-- write what the service authorised in this transaction. Later migrations call it; the catalog test checks it.
create function hearth.guard(tables regclass, subject text, core_case text default null) returns void language plpgsql as $$
declare
    probe text := 'exists (select from sight s where s.subject_id = %I%s)';
    seen text := case
        -- Only with whole sight of the subject.
        when core_case is null then format(probe, subject, ' and s.whole')
        -- Who the child is belongs to every case's core.
        when core_case = subject then format(probe, subject, '')
        -- Also with sight of this one case's core. Two probes, because most rows pass the first.
        else format(probe, subject, ' and s.whole') || ' or ' || format(probe, core_case, '')
    end;
begin
    execute format('alter table %s enable row level security, force row level security', tables);
    execute format(
        'create policy in_sight on %s for select to hearth_app using ((select hearth.everything()) or %s)', tables, seen);
    execute format('create policy authorised_insert on %s for insert to hearth_app '
        'with check (%I = any ((select hearth.writing())::uuid[]))', tables, subject);
    execute format('create policy authorised_update on %s for update to hearth_app '
        'using (%I = any ((select hearth.writing())::uuid[])) with check (%I = any ((select hearth.writing())::uuid[]))',
        tables, subject, subject);
    execute format('create policy seeding on %s to hearth_seed using (true) with check (true)', tables);
    -- What may be written is granted table by table, as far as a service needs it.
    execute format('grant select on %s to hearth_app', tables);
    execute format('grant select, insert on %s to hearth_seed', tables);
    execute format('grant select on %s to hearth_rights', tables);
end $$;

grant create on schema hearth to hearth_rights;
alter function hearth.enter(uuid, timestamptz) owner to hearth_rights;
alter function hearth.sight_follows_links() owner to hearth_rights;
alter function hearth.link_opens_sight() owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on all functions in schema hearth from public;
grant execute on function hearth.worker(), hearth.at(), hearth.holders(), hearth.everything(), hearth.writing(),
    hearth.queue(), hearth.enter(uuid, timestamptz) to hearth_app, hearth_rights;
grant execute on function hearth.queue() to hearth_seed;
