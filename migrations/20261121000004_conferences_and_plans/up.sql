-- Child protection conferences (domain 2.6) and plans (domain 2.7).

create table conferences (
    id uuid primary key,
    family_id uuid references family_groups (id),
    type text not null check (type in ('INITIAL', 'REVIEW', 'PRE_BIRTH', 'TRANSFER_IN', 'RECONVENED')),
    state text not null check (state in (
        'REQUESTED', 'SCHEDULED', 'INVITED', 'IN_SESSION', 'DECIDED', 'ISSUED', 'POSTPONED', 'INQUORATE', 'WITHDRAWN',
        'DISPUTED')),
    requested_by uuid not null references workers (id),
    requested_at timestamptz not null,
    scheduled_for timestamptz,
    venue text,
    online boolean not null default false,
    chair_id uuid references workers (id),
    held_at timestamptz,
    quorate boolean,
    quorum_reason text,
    minutes_sent_at timestamptz,
    late_reason text,
    version integer not null default 1,
    check (state in ('REQUESTED', 'WITHDRAWN', 'DISPUTED') or (scheduled_for is not null and chair_id is not null)),
    check (state not in ('DECIDED', 'ISSUED') or held_at is not null),
    -- A conference is never on a weekend; the day is the day in London.
    check (extract(isodow from scheduled_for at time zone 'Europe/London') < 6)
);
create index on conferences (family_id);
create index on conferences (requested_by);
create index on conferences (chair_id);

create table plans (
    id uuid primary key,
    case_id uuid not null,
    child_id uuid not null,
    kind text not null check (kind in ('CIN', 'CHILD_PROTECTION')),
    status text not null check (status in ('DRAFT', 'ACTIVE', 'SUPERSEDED', 'ENDED', 'ESCALATED')),
    start_on date,
    end_on date check (end_on >= start_on),
    overall_aim text not null default '',
    agreed_change_by date,
    review_due_on date,
    conference_id uuid references conferences (id),
    initial_category text check (initial_category in ('NEG', 'PHY', 'SAB', 'EMO', 'MUL')),
    latest_category text check (latest_category in ('NEG', 'PHY', 'SAB', 'EMO', 'MUL')),
    number_of_previous_cpps integer check (number_of_previous_cpps >= 0),
    parent_view text,
    child_view text,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    foreign key (case_id, child_id) references cases (id, child_id),
    check (status = 'DRAFT' or start_on is not null),
    check ((status in ('ENDED', 'SUPERSEDED')) = (end_on is not null)),
    check ((kind = 'CHILD_PROTECTION') = (initial_category is not null)),
    check ((kind = 'CHILD_PROTECTION') = (number_of_previous_cpps is not null)),
    unique (id, child_id)
);
-- A child in need plan and a child protection plan are never open together, nor two of either.
create unique index one_open_plan on plans (case_id) where status in ('ACTIVE', 'ESCALATED');
create index on plans (case_id, child_id);
create index on plans (child_id);
create index on plans (conference_id);

create table conference_children (
    id uuid primary key,
    conference_id uuid not null references conferences (id),
    child_id uuid not null,
    case_id uuid not null,
    decision text check (decision in ('PLAN', 'NO_PLAN', 'CONTINUE', 'END', 'DEFER')),
    category text check (category in ('NEG', 'PHY', 'SAB', 'EMO', 'MUL')),
    outline_plan text,
    next_review_on date,
    plan_id uuid references plans (id),
    unique (conference_id, child_id),
    foreign key (case_id, child_id) references cases (id, child_id),
    check ((decision is not distinct from 'PLAN') = (category is not null))
);
create index on conference_children (case_id, child_id);
create index on conference_children (child_id);
create index on conference_children (plan_id);

create table conference_invitations (
    id uuid primary key,
    conference_id uuid not null references conferences (id),
    person_id uuid references persons (id),
    worker_id uuid references workers (id),
    agency_name text,
    capacity text not null check (capacity in (
        'PARENT', 'CHILD', 'FAMILY', 'ADVOCATE', 'SUPPORTER', 'SOCIAL_CARE', 'SCHOOL', 'HEALTH', 'POLICE', 'OTHER')),
    sent_at timestamptz,
    method text check (method in ('LETTER', 'EMAIL', 'PHONE', 'IN_PERSON')),
    response text not null default 'NONE' check (response in ('ACCEPTED', 'DECLINED', 'NONE')),
    responded_at timestamptz,
    -- Set again whenever the conference moves: an answer given for another day is no answer.
    answer_asked_at timestamptz not null,
    version integer not null default 1,
    check (num_nonnulls(person_id, worker_id, agency_name) = 1),
    check ((response = 'NONE') = (responded_at is null))
);
create index on conference_invitations (conference_id);
create index on conference_invitations (person_id);
create index on conference_invitations (worker_id);

-- Every date that a conference was moved from: a move restarts no clock, so the first date stays known.
create table conference_moves (
    id uuid primary key,
    conference_id uuid not null references conferences (id),
    moved_from timestamptz not null,
    moved_to timestamptz not null,
    reason text not null check (reason <> ''),
    moved_by uuid not null references workers (id),
    moved_at timestamptz not null
);
create index on conference_moves (conference_id);
create index on conference_moves (moved_by);

create table plan_goals (
    id uuid primary key,
    plan_id uuid not null,
    child_id uuid not null,
    position integer not null,
    what_needs_to_change text not null,
    why text not null default '',
    measure text,
    baseline text,
    target text,
    status text not null default 'OPEN' check (status in ('OPEN', 'MET', 'NOT_MET', 'DROPPED')),
    unique (plan_id, position),
    unique (id, plan_id, child_id),
    foreign key (plan_id, child_id) references plans (id, child_id)
);
create index on plan_goals (plan_id, child_id);
create index on plan_goals (child_id);

create table plan_actions (
    id uuid primary key,
    goal_id uuid not null,
    plan_id uuid not null,
    child_id uuid not null,
    text text not null,
    owner_worker_id uuid references workers (id),
    owner_person_id uuid references persons (id),
    owner_agency text,
    due_on date,
    done_on date,
    outcome text,
    check (num_nonnulls(owner_worker_id, owner_person_id, owner_agency) = 1),
    -- A goal and its actions belong to the plan's child.
    foreign key (goal_id, plan_id, child_id) references plan_goals (id, plan_id, child_id)
);
create index on plan_actions (goal_id, plan_id, child_id);
create index on plan_actions (plan_id) where done_on is null;
create index on plan_actions (plan_id);
create index on plan_actions (child_id);
create index on plan_actions (owner_worker_id, due_on) where done_on is null;
create index on plan_actions (owner_worker_id);
create index on plan_actions (owner_person_id);

select hearth.guard('conferences', 'id');
select hearth.guard('conference_children', 'child_id');
select hearth.guard('conference_invitations', 'conference_id');
select hearth.guard('conference_moves', 'conference_id');
select hearth.guard('plans', 'child_id');
select hearth.guard('plan_goals', 'child_id');
select hearth.guard('plan_actions', 'child_id');
grant insert, update on conferences, conference_children, plans to hearth_app;
grant insert on conference_moves to hearth_app;
-- A child is added to a conference only by who may write both.
create policy both_ends on conference_children as restrictive for insert to hearth_app
    with check (conference_id = any ((select hearth.writing())::uuid[]));

-- An invitation of somebody who is not in sight (a sibling of another unit's) does not show that they exist.
create policy invited_in_sight on conference_invitations as restrictive for select to hearth_app
    using (person_id is null or (select hearth.everything())
           or exists (select from sight s where s.subject_id = person_id));

-- A move asks everybody again, also those whom the mover does not see.
create function hearth.ask_again(conference uuid, at timestamptz) returns bigint
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    asked bigint;
begin
    if not conference = any (hearth.writing()) then
        raise exception 'not authorised for this conference' using errcode = 'HE004';
    end if;
    update public.conference_invitations
        set response = 'NONE', responded_at = null, answer_asked_at = at, version = version + 1
        where conference_id = conference;
    get diagnostics asked = row_count;
    return asked;
end $$;
grant update on conference_invitations to hearth_rights;
grant create on schema hearth to hearth_rights;
alter function hearth.ask_again(uuid, timestamptz) owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.ask_again(uuid, timestamptz) from public;
grant execute on function hearth.ask_again(uuid, timestamptz) to hearth_app;

-- What was decided stays decided, and an ended plan stays as it ended.
create function hearth.decided_once() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or (tg_table_name = 'conference_children' and to_jsonb(old) ->> 'decision' is not null)
        or (tg_table_name = 'plans' and to_jsonb(old) ->> 'status' in ('ENDED', 'SUPERSEDED')) then
        raise exception '% is history', tg_table_name using errcode = 'HE003';
    end if;
    return new;
end $$;
create trigger decided_once before update or delete on conference_children
    for each row execute function hearth.decided_once();
create trigger decided_once before update or delete on plans
    for each row execute function hearth.decided_once();
revoke execute on function hearth.decided_once() from public;

-- The chair sees the children whom the conference is about, from appointment until three months after it.
create function hearth.conference_opens_sight() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_table_name = 'conference_children' then
        insert into public.sight_links (child_id, subject_id, source_id)
            values (new.child_id, new.conference_id, new.id) on conflict do nothing;
        insert into public.sight (subject_id, holder_id, source_id, whole, until)
            select new.child_id, c.chair_id, c.id, true,
                case when c.state in ('DECIDED', 'ISSUED') then c.held_at + interval '3 months' end
            from public.conferences c
            where c.id = new.conference_id and c.chair_id is not null and c.state <> 'WITHDRAWN' on conflict do nothing;
    else
        if tg_op = 'UPDATE' and old.chair_id is not null and old.chair_id is distinct from new.chair_id then
            delete from public.sight where source_id = new.id and holder_id = old.chair_id;
        end if;
        if new.state = 'WITHDRAWN' then
            delete from public.sight where source_id = new.id;
        elsif new.chair_id is not null then
            insert into public.sight (subject_id, holder_id, source_id, whole)
                select cc.child_id, new.chair_id, new.id, true from public.conference_children cc
                where cc.conference_id = new.id on conflict do nothing;
            if new.state in ('DECIDED', 'ISSUED') then
                update public.sight set until = new.held_at + interval '3 months'
                    where source_id = new.id and until is distinct from new.held_at + interval '3 months';
            end if;
        end if;
    end if;
    return null;
end $$;
create trigger conference_opens_sight after insert on conference_children
    for each row execute function hearth.conference_opens_sight();
create trigger conference_opens_sight after insert or update of chair_id, state on conferences
    for each row execute function hearth.conference_opens_sight();
grant create on schema hearth to hearth_rights;
alter function hearth.conference_opens_sight() owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.conference_opens_sight() from public;

-- Every case of a conference and the units that hold it, also those of a sibling whom the viewer does not see: all of
-- them must hear of it. Answers only for a conference in sight.
create function hearth.conference_holders(conference uuid) returns table (case_id uuid, unit_id uuid)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select cc.case_id, a.unit_id
    from public.conference_children cc
    left join public.allocations a on a.case_id = cc.case_id and a.ended_at is null
    where cc.conference_id = conference
      and (hearth.everything() or exists (
          select from public.sight s where s.subject_id = conference and s.whole and s.holder_id = any (hearth.holders())))
$$;
grant create on schema hearth to hearth_rights;
alter function hearth.conference_holders(uuid) owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.conference_holders(uuid) from public;
grant execute on function hearth.conference_holders(uuid) to hearth_app;
