-- Plans of all kinds (domain 2.7), what each person says of a plan, how far a plan for adoption has come, and the work of a
-- parenting support worker.

alter table plans
    drop constraint plans_kind_check,
    add constraint plans_kind_check check (kind in (
        'CIN', 'CHILD_PROTECTION', 'CARE', 'PLACEMENT', 'HEALTH', 'PERSONAL_EDUCATION', 'PATHWAY', 'PERMANENCE', 'ADOPTION', 'SUPPORT')),
    -- What the kind asks for, beside goals: a text for each section.
    add column section_codes text[] not null default '{}' check (section_codes <@ array[
        'PERMANENCE', 'HEALTH', 'EDUCATION', 'EMOTIONAL_BEHAVIOURAL', 'RELIGIOUS_PERSUASION', 'RACIAL_ORIGIN',
        'CULTURAL_LINGUISTIC', 'FAMILY_RELATIONSHIPS', 'SOCIAL_PRESENTATION', 'SELF_CARE', 'PLACEMENT', 'WISHES_FEELINGS',
        'DAILY_CARE', 'CONTACT', 'DECISIONS', 'CONTINGENCY', 'PERSONAL_SUPPORT', 'ACCOMMODATION', 'EMPLOYMENT',
        'PRACTICAL_SKILLS', 'MONEY', 'ADOPTION_SUPPORT', 'MATCHING']),
    add column section_texts text[] not null default '{}',
    add column route text check (route in (
        'RETURN_HOME', 'LONG_TERM_FOSTERING', 'KINSHIP_SGO', 'ADOPTION', 'RESIDENTIAL', 'INDEPENDENCE')),
    add column parallel_route text check (parallel_route in (
        'RETURN_HOME', 'LONG_TERM_FOSTERING', 'KINSHIP_SGO', 'ADOPTION', 'RESIDENTIAL', 'INDEPENDENCE')),
    add column needs_assessed_on date,
    -- Agreed for longer than the version that it replaced: an extension of the agreed period.
    add column extends_period boolean not null default false,
    add constraint a_text_for_each_section check (cardinality(section_codes) = cardinality(section_texts)),
    add constraint route_of_permanence check (kind = 'PERMANENCE' or num_nonnulls(route, parallel_route) = 0),
    add constraint permanence_has_route check (kind <> 'PERMANENCE' or status in ('DRAFT', 'SUPERSEDED') or route is not null),
    add constraint another_parallel_route check (parallel_route is null or parallel_route <> route),
    add constraint needs_of_pathway check (kind = 'PATHWAY' or needs_assessed_on is null),
    add constraint extension_of_a_version check (not extends_period or previous_id is not null);
-- A child in need plan and a child protection plan are never in force together; of the other kinds one each.
drop index one_open_plan;
create unique index one_open_plan on plans (case_id) where status in ('ACTIVE', 'ESCALATED') and kind in ('CIN', 'CHILD_PROTECTION');
create unique index one_open_plan_of_a_kind on plans (case_id, kind) where status in ('ACTIVE', 'ESCALATED');

-- A plan that seeks no change and has no agreed period goes on as it is.
alter table plan_escalations
    drop constraint plan_escalations_check1,
    add constraint plan_escalations_check1 check (new_change_by is null or choice = 'EXTEND');

create or replace function hearth.shared_is_immutable() returns trigger language plpgsql as $$
declare
    shared boolean;
    kept text[];
begin
    -- Generated columns have no value yet before the row is written.
    if tg_table_name = 'plans' then
        shared := old.shared_at is not null;
        kept := array['status', 'start_on', 'end_on', 'end_reason', 'agreed_change_by', 'review_due_on', 'latest_category', 'version',
                      'line_id', 'extends_period'];
        if not shared then
            return new;
        end if;
    else
        select p.shared_at is not null into shared from public.plans p where p.id = new.plan_id;
        kept := case tg_table_name when 'plan_goals' then array['status', 'version', 'lineage_id']
                else array['done_on', 'outcome', 'dropped_on', 'version', 'lineage_id'] end;
        if not coalesce(shared, false) then
            return new;
        end if;
    end if;
    if tg_op = 'INSERT' or (to_jsonb(new) - kept) <> (to_jsonb(old) - kept) then
        raise exception 'this version was shared: revise the plan' using errcode = 'HE003';
    end if;
    return new;
end $$;

-- What somebody of the family says of a plan, or why they could not be asked.
create table plan_views (
    id uuid primary key,
    plan_id uuid not null,
    child_id uuid not null,
    person_id uuid not null references persons (id),
    stance text not null check (stance in ('AGREES', 'AGREES_IN_PART', 'DISAGREES', 'NO_ANSWER', 'NOT_ASKED')),
    -- Their words; or, when they were not asked or did not answer, why not.
    words text not null check (words <> ''),
    said_on date not null,
    recorded_by uuid not null references workers (id),
    recorded_at timestamptz not null,
    foreign key (plan_id, child_id) references plans (id, child_id)
);
create index on plan_views (plan_id, child_id);
create index on plan_views (child_id);
create index on plan_views (person_id);
create index on plan_views (recorded_by);

-- How far a plan for adoption has come. A step that was recorded wrongly is recorded again: the last one counts.
create table adoption_steps (
    id uuid primary key,
    plan_id uuid not null,
    child_id uuid not null,
    step text not null check (step in (
        'BEST_INTEREST', 'AGENCY_DECISION', 'PLACEMENT_ORDER', 'MATCHED', 'PLACED', 'REVERSED')),
    happened_on date not null,
    reversal_reason text check (reversal_reason in ('RD1', 'RD2', 'RD3', 'RD4')),
    recorded_by uuid not null references workers (id),
    recorded_at timestamptz not null,
    check ((step = 'REVERSED') = (reversal_reason is not null)),
    foreign key (plan_id, child_id) references plans (id, child_id)
);
create index on adoption_steps (plan_id, child_id);
create index on adoption_steps (child_id);
create index on adoption_steps (recorded_by);

-- A parenting support worker is asked to help a family make some changes.
create table support_requests (
    id uuid primary key,
    case_id uuid not null,
    child_id uuid not null,
    worker_id uuid not null references workers (id),
    asked_for text not null check (asked_for <> ''),
    status text not null default 'REQUESTED' check (status in ('REQUESTED', 'ACCEPTED', 'DECLINED', 'WITHDRAWN', 'ENDED')),
    requested_by uuid not null references workers (id),
    requested_at timestamptz not null,
    answered_at timestamptz check (answered_at >= requested_at),
    -- Why it was declined or withdrawn.
    reason text,
    involvement_id uuid references worker_involvements (id),
    ended_at timestamptz check (ended_at >= answered_at),
    ended_by uuid references workers (id),
    outcome text,
    version integer not null default 1,
    foreign key (case_id, child_id) references cases (id, child_id),
    unique (id, child_id),
    check ((status = 'REQUESTED') = (answered_at is null)),
    check ((status in ('DECLINED', 'WITHDRAWN')) = (reason is not null)),
    check ((status in ('ACCEPTED', 'ENDED')) = (involvement_id is not null)),
    check (num_nonnulls(ended_at, ended_by, outcome) in (0, 3)),
    check ((status = 'ENDED') = (outcome is not null))
);
create unique index one_open_support on support_requests (case_id, worker_id) where status in ('REQUESTED', 'ACCEPTED');
create index on support_requests (case_id, child_id);
create index on support_requests (child_id);
create index on support_requests (worker_id, requested_at desc, id);
create index on support_requests (requested_by);
create index on support_requests (involvement_id);
create index on support_requests (ended_by);

-- Which goals of the child's plans the work is for.
create table support_goals (
    request_id uuid not null,
    child_id uuid not null,
    goal_id uuid not null references plan_goals (id),
    position integer not null check (position > 0),
    primary key (request_id, position),
    foreign key (request_id, child_id) references support_requests (id, child_id),
    unique (request_id, goal_id)
);
create index on support_goals (child_id);
create index on support_goals (goal_id);
create index on support_goals (request_id, child_id);

-- Of the parts beside the unit a case has one reviewing officer and one personal adviser at a time.
alter table worker_involvements
    add constraint one_reviewing_officer
        exclude using gist (case_id with =, tstzrange(started_at, ended_at) with &&) where (capacity = 'IRO'),
    add constraint one_personal_adviser
        exclude using gist (case_id with =, tstzrange(started_at, ended_at) with &&) where (capacity = 'PERSONAL_ADVISER');

select hearth.guard('plan_views', 'child_id');
select hearth.guard('adoption_steps', 'child_id');
select hearth.guard('support_requests', 'child_id');
select hearth.guard('support_goals', 'child_id');
create policy said_by_in_sight on plan_views as restrictive for select to hearth_app
    using (exists (select from sight s where s.subject_id = person_id));
-- Who is asked, and who does the work, sees what is asked of them as long as they see who the child is.
alter policy in_sight on support_requests
    using (exists (select from sight s where s.subject_id = child_id and (s.whole or worker_id = hearth.worker())));
alter policy in_sight on support_goals
    using (exists (select from sight s where s.subject_id = child_id and (s.whole or s.plans)));
-- Whoever has a part beside the unit sees that they have it.
create policy own on worker_involvements for select to hearth_app
    using (worker_id = (select hearth.worker()) and exists (select from sight s where s.subject_id = child_id));
grant insert on plan_views, adoption_steps, support_requests, support_goals to hearth_app;
grant update (status, answered_at, reason, involvement_id, ended_at, ended_by, outcome, version) on support_requests to hearth_app;

do $$
declare
    name text;
begin
    foreach name in array array['plan_views', 'adoption_steps', 'support_goals'] loop
        execute format('create trigger appended_only before update or delete on %I
            for each row execute function hearth.appended_only()', name);
    end loop;
end $$;
create trigger stays_finished before update or delete on support_requests
    for each row execute function hearth.stays_finished('status', 'DECLINED,WITHDRAWN,ENDED');

-- While it waits for an answer, whoever is asked sees who the child is; when they accept, their part opens the plans to them.
create function hearth.support_opens_sight() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_op = 'INSERT' and new.status = 'REQUESTED' then
        insert into public.sight (subject_id, holder_id, source_id, whole, through_id)
            values (new.child_id, new.worker_id, new.id, false, new.child_id) on conflict do nothing;
    elsif tg_op = 'UPDATE' and new.status <> 'REQUESTED' then
        delete from public.sight where source_id = new.id;
    end if;
    return null;
end $$;
create trigger support_opens_sight after insert or update on support_requests
    for each row execute function hearth.support_opens_sight();

-- No case closes over work that somebody was asked for and that is not over.
create function hearth.closed_after_support() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if exists (select from public.support_requests r where r.case_id = new.id and r.status in ('REQUESTED', 'ACCEPTED')) then
        raise exception 'a case closes when its support is over' using errcode = 'HE003';
    end if;
    return null;
end $$;
create trigger closed_after_support after update of closure_reason on cases
    for each row when (new.closure_reason is not null) execute function hearth.closed_after_support();

-- The child of what a parenting support worker was asked for, too, for who asks the audit of it.
create or replace function hearth.audit_child(record uuid) returns uuid
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    child uuid := (select c.child_id from public.cases c where c.id = record
                   union select p.child_id from public.plans p where p.id = record
                   union select a.child_id from public.assessments a where a.id = record
                   union select s.child_id from public.strategy_discussions s where s.id = record
                   union select e.child_id from public.section47_enquiries e where e.id = record
                   union select r.child_id from public.information_requests r where r.id = record
                   union select r.child_id from public.support_requests r where r.id = record);
begin
    return case when hearth.sees(child) or hearth.auditing() = any (hearth.holders()) then child end;
end $$;

-- Who chaired the conference that made the protection plan in force of a case, and the last one that carried it on.
create function hearth.chairs_in_force(wanted uuid, child uuid) returns uuid[]
    language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select coalesce(array_agg(distinct found.chair), '{}')
    from (select o.chair_id as chair from public.plans p join public.conferences o on o.id = p.conference_id
          where p.case_id = wanted and p.kind = 'CHILD_PROTECTION' and p.status in ('ACTIVE', 'ESCALATED')
          union all
          select last.chair from (
              select o.chair_id as chair from public.conferences o join public.conference_children cc on cc.conference_id = o.id
              where cc.child_id = child and cc.plan_id is not null and o.chair_id is not null
              order by o.held_at desc nulls last limit 1) last
          where exists (select from public.plans p where p.case_id = wanted and p.kind = 'CHILD_PROTECTION'
                          and p.status in ('ACTIVE', 'ESCALATED'))) found
    where found.chair is not null
$$;

-- A case as a parenting support worker needs it to act in their part, not to read it: whoever was asked, or works with the
-- family, and sees who the child is. With whom else to tell: who has a part in it, and the chairs.
create function hearth.has_part(wanted uuid, child uuid) returns boolean
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    me uuid := hearth.worker();
begin
    return (exists (select from public.support_requests r
                    where r.case_id = wanted and r.worker_id = me and r.status = 'REQUESTED')
            or exists (select from public.worker_involvements i
                       where i.case_id = wanted and i.worker_id = me and i.capacity = 'PARENTING_SUPPORT' and i.ended_at is null))
        and exists (select from public.sight s
                    where s.subject_id = child and s.holder_id = me and (s.until is null or s.until > hearth.at())
                      and (s.allowed is null or me = any (s.allowed)) and (s.barred is null or me <> all (s.barred)));
end $$;
create function hearth.case_of_part(wanted uuid)
    returns table (id uuid, case_no bigint, child_id uuid, opened_on date, status text, version integer,
                   workers uuid[], capacities text[], chairs uuid[])
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select c.id, c.case_no, c.child_id, c.opened_on, c.status, c.version, parts.workers, parts.capacities,
        hearth.chairs_in_force(c.id, c.child_id)
    from public.cases c
    cross join lateral (
        select coalesce(array_agg(i.worker_id order by i.id), '{}') as workers,
               coalesce(array_agg(i.capacity order by i.id), '{}') as capacities
        from public.worker_involvements i where i.case_id = c.id and i.ended_at is null) parts
    where c.id = wanted and hearth.has_part(c.id, c.child_id);
end $$;
create function hearth.allocations_of_part(wanted uuid)
    returns table (id uuid, unit_id uuid, area_id uuid, kind text, started_at timestamptz)
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select a.id, a.unit_id, u.area_id, a.kind, a.started_at
    from public.allocations a join public.units u on u.id = a.unit_id
    where a.case_id = wanted and a.ended_at is null and hearth.has_part(a.case_id, a.child_id);
end $$;

-- What is in force about where the child of a case is to grow up, for whoever sees the case at all: a unit takes a case from
-- another, or from the queue, before it sees the plans.
create function hearth.permanence_of(wanted uuid)
    returns table (kind text, route text, parallel_route text, reversed boolean)
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
declare
    me uuid := hearth.worker();
    held uuid[] := hearth.holders();
begin
    return query
    select p.kind, p.route, p.parallel_route,
        exists (select from public.adoption_steps a join public.plans v on v.id = a.plan_id
                where v.line_id = p.line_id and a.step = 'REVERSED')
    from public.plans p join public.cases c on c.id = p.case_id
    where c.id = wanted and p.kind in ('PERMANENCE', 'ADOPTION') and p.status in ('ACTIVE', 'ESCALATED')
      and exists (select from public.sight s
                  where s.subject_id in (c.id, c.child_id) and s.holder_id = any (held) and (s.until is null or s.until > hearth.at())
                    and (s.allowed is null or me = any (s.allowed)) and (s.barred is null or me <> all (s.barred)));
end $$;

-- The same for whoever sees the case at all: they tell the chairs who works it, before they see the plans.
create function hearth.chairs_to_tell(wanted uuid) returns uuid[]
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    me uuid := hearth.worker();
    held uuid[] := hearth.holders();
begin
    return coalesce((
        select hearth.chairs_in_force(c.id, c.child_id) from public.cases c
        where c.id = wanted
          and exists (select from public.sight s
                      where s.subject_id in (c.id, c.child_id) and s.holder_id = any (held)
                        and (s.until is null or s.until > hearth.at())
                        and (s.allowed is null or me = any (s.allowed)) and (s.barred is null or me <> all (s.barred)))), '{}');
end $$;

-- Whether a restriction or a denial keeps a worker from a child about whom a change is made: nobody is given a part in
-- what they could not see.
create function hearth.keeps_out(child uuid, worker uuid) returns boolean
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return child = any (hearth.writing()) and exists (
        select from public.person_locks l
        where l.person_id = child and (worker <> all (l.allowed) or worker = any (l.barred)));
end $$;

-- Whoever sees a child in part, in person, is told by name what concerns their part: what they were asked for, that it began
-- or ended, and what becomes of the plans that they see. Nothing else, whatever names them.
create or replace function hearth.may_be_told(events uuid[], workers uuid[], at timestamptz) returns setof bigint
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
    -- Whom its audience reaches: through a unit, an area, a post, by name.
    cross join lateral (
        select coalesce(bool_or(a.kind = 'UNIT' and a.holder_id = any (held.holders) and a.holder_id = any (before.holders)), false)
                   as unit,
               coalesce(bool_or(a.kind = 'AREA' and a.holder_id = any (held.holders)), false) as area,
               coalesce(bool_or(a.kind = 'POST' and a.holder_id = any (held.holders) and a.holder_id = any (before.holders)), false)
                   as post,
               coalesce(bool_or(a.holder_id = p.worker and a.kind = 'WORKER'), false) as named,
               coalesce(bool_or(a.holder_id = p.worker and a.kind = 'FORMER'), false) as former,
               coalesce(bool_or(a.holder_id = p.worker and a.kind in ('LEAVING', 'ALONE')), false) as alone
        from public.outbox_audience a where a.event_id = p.event) reached
    -- Whether they see a child whom it is about, by a right of their own: what a post sees is the queue. Whole, or in person as far
    -- as it concerns who sees a child in part.
    cross join lateral (
        select coalesce(bool_or(s.whole), false) as one,
               coalesce(bool_or(s.holder_id = p.worker
                                and (e.type in ('SUPPORT_CHANGED', 'INVOLVEMENT_CHANGED')
                                     or (s.plans and e.type in ('PLAN_AGREED', 'PLAN_CHANGED')))), false) as self
        from public.outbox_subjects o join public.sight s on s.subject_id = o.child_id
        where o.event_id = p.event and s.holder_id = any (held.holders)
          and s.holder_id <> all (array[hearth.whole_service(), hearth.queue()])
          and (s.until is null or s.until > at)
          and (s.allowed is null or p.worker = any (s.allowed))
          and (s.barred is null or p.worker <> all (s.barred))) sees
    where (reached.unit or reached.alone or reached.post or (reached.area and reached.named) or (sees.self and reached.named)
           or (sees.one and (reached.area or reached.named or reached.former)))
      -- No restriction and no denial keeps a child in it from them, unless they see another one.
      and (sees.one or not exists (
          select from public.outbox_subjects o join public.person_locks l on l.person_id = o.child_id
          where o.event_id = p.event and (p.worker <> all (l.allowed) or p.worker = any (l.barred))));
end $$;

-- What the bus asks of whoever sees a child in part.
grant select (plans) on sight to hearth_bus;

grant create on schema hearth to hearth_rights;
alter function hearth.has_part(uuid, uuid) owner to hearth_rights;
alter function hearth.case_of_part(uuid) owner to hearth_rights;
alter function hearth.allocations_of_part(uuid) owner to hearth_rights;
alter function hearth.permanence_of(uuid) owner to hearth_rights;
alter function hearth.chairs_in_force(uuid, uuid) owner to hearth_rights;
alter function hearth.chairs_to_tell(uuid) owner to hearth_rights;
alter function hearth.keeps_out(uuid, uuid) owner to hearth_rights;
alter function hearth.support_opens_sight() owner to hearth_rights;
alter function hearth.closed_after_support() owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.support_opens_sight(), hearth.closed_after_support(),
    hearth.has_part(uuid, uuid), hearth.case_of_part(uuid), hearth.allocations_of_part(uuid), hearth.permanence_of(uuid),
    hearth.keeps_out(uuid, uuid), hearth.chairs_in_force(uuid, uuid), hearth.chairs_to_tell(uuid) from public;
grant execute on function hearth.case_of_part(uuid), hearth.allocations_of_part(uuid), hearth.permanence_of(uuid),
    hearth.keeps_out(uuid, uuid), hearth.chairs_to_tell(uuid) to hearth_app;
