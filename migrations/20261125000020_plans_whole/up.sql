-- Plans whole (domain 2.7, 3.3): versions, sharing, evidence of change, reviews, the agreed period for change.

alter table plans
    -- A plan that is revised is a row of its own: 1, 2, 3, ... of one line.
    add column revision integer not null default 1 check (revision > 0),
    add column previous_id uuid references plans (id),
    -- From here on its content is what the family was given.
    add column shared_at timestamptz,
    add column end_reason text,
    drop constraint plans_check1,
    add constraint started_unless_draft check (status in ('DRAFT', 'SUPERSEDED') or start_on is not null),
    add constraint revision_has_previous check ((revision = 1) = (previous_id is null));
create index on plans (previous_id);
-- One draft at a time: of a line of versions, and of a new plan of a kind.
create unique index one_draft_plan on plans
    (case_id, kind, coalesce(previous_id, '00000000-0000-0000-0000-000000000000'::uuid)) where status = 'DRAFT';

alter table plan_goals
    -- The goal of the first version that this one carries on; evidence belongs to all of them.
    add column root_id uuid references plan_goals (id),
    add column lineage_id uuid not null generated always as (coalesce(root_id, id)) stored,
    add column version integer not null default 1,
    drop constraint plan_goals_plan_id_position_key;
create index on plan_goals (root_id);
create index on plan_goals (lineage_id);
create unique index one_goal_at_a_place on plan_goals (plan_id, position) where status <> 'DROPPED';

alter table plan_actions
    add column version integer not null default 1,
    -- Given up without being done: left out of the plan, or the plan is over.
    add column dropped_on date,
    add constraint done_or_dropped check (done_on is null or dropped_on is null);
grant insert, update on plan_goals, plan_actions to hearth_app;

create table plan_shares (
    id uuid primary key,
    plan_id uuid not null,
    child_id uuid not null,
    person_id uuid references persons (id),
    agency_name text,
    shared_on date not null,
    method text not null check (method in ('LETTER', 'EMAIL', 'PHONE', 'IN_PERSON')),
    shared_by uuid not null references workers (id),
    check (num_nonnulls(person_id, agency_name) = 1),
    foreign key (plan_id, child_id) references plans (id, child_id)
);
create index on plan_shares (plan_id, child_id);
create index on plan_shares (child_id);
create index on plan_shares (person_id);
create index on plan_shares (shared_by);

create table change_evidence (
    id uuid primary key,
    goal_id uuid not null,
    lineage_id uuid not null references plan_goals (id),
    plan_id uuid not null,
    child_id uuid not null,
    observed_on date not null,
    source text not null check (source in ('VISIT', 'CONFERENCE', 'AGENCY', 'CHILD', 'FAMILY')),
    strength text not null check (strength in ('WEAK', 'MODERATE', 'STRONG')),
    -- Since when the change has lasted, if it has.
    sustained_since date check (sustained_since <= observed_on),
    text text not null check (text <> ''),
    recorded_by uuid not null references workers (id),
    recorded_at timestamptz not null,
    foreign key (goal_id, plan_id, child_id) references plan_goals (id, plan_id, child_id)
);
create index on change_evidence (goal_id, plan_id, child_id);
create index on change_evidence (lineage_id, observed_on desc, id);
create index on change_evidence (plan_id);
create index on change_evidence (child_id);
create index on change_evidence (recorded_by);

create table plan_reviews (
    id uuid primary key,
    plan_id uuid not null,
    child_id uuid not null,
    due_on date,
    held_on date not null,
    chair_id uuid references workers (id),
    -- A child protection plan is reviewed by a conference.
    conference_id uuid references conferences (id),
    participation text check (participation in ('PN0', 'PN1', 'PN2', 'PN3', 'PN4', 'PN5', 'PN6', 'PN7')),
    decisions text[] not null default '{}',
    change_of_plan boolean not null,
    next_review_on date check (next_review_on > held_on),
    recorded_by uuid not null references workers (id),
    recorded_at timestamptz not null,
    foreign key (plan_id, child_id) references plans (id, child_id)
);
create index on plan_reviews (plan_id, child_id);
create index on plan_reviews (child_id);
create index on plan_reviews (chair_id);
create index on plan_reviews (conference_id);
create index on plan_reviews (recorded_by);

-- The agreed period for change passed without change, or the plan broke down: what the unit chose.
create table plan_escalations (
    id uuid primary key,
    plan_id uuid not null,
    child_id uuid not null,
    raised_at timestamptz not null,
    -- Nobody, when the clock raised it.
    raised_by uuid references workers (id),
    reason text not null,
    choice text check (choice in ('EXTEND', 'STRATEGY', 'LEGAL_GATEWAY', 'CARE_DECISION', 'CLOSE')),
    choice_reason text,
    new_change_by date,
    chosen_by uuid references workers (id),
    chosen_at timestamptz,
    check (num_nonnulls(choice, choice_reason, chosen_by, chosen_at) in (0, 4)),
    check ((choice = 'EXTEND') = (new_change_by is not null)),
    foreign key (plan_id, child_id) references plans (id, child_id)
);
create unique index one_open_escalation on plan_escalations (plan_id) where choice is null;
create index on plan_escalations (plan_id, child_id);
create index on plan_escalations (child_id);
create index on plan_escalations (raised_by);
create index on plan_escalations (chosen_by);

select hearth.guard('plan_shares', 'child_id');
select hearth.guard('change_evidence', 'child_id');
select hearth.guard('plan_reviews', 'child_id');
select hearth.guard('plan_escalations', 'child_id');
grant insert on plan_shares, change_evidence, plan_reviews to hearth_app;
grant insert, update on plan_escalations to hearth_app;
create policy given_to_in_sight on plan_shares as restrictive for select to hearth_app
    using (person_id is null or (select hearth.everything()) or exists (select from sight s where s.subject_id = person_id));

do $$
declare
    name text;
begin
    foreach name in array array['plan_shares', 'change_evidence', 'plan_reviews'] loop
        execute format('create trigger appended_only before update or delete on %I
            for each row execute function hearth.appended_only()', name);
    end loop;
end $$;

create function hearth.chosen_once() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.choice is not null then
        raise exception 'plan_escalations is history' using errcode = 'HE003';
    end if;
    return new;
end $$;
create trigger chosen_once before update or delete on plan_escalations
    for each row execute function hearth.chosen_once();

-- What was shared with a family stays as they were given it: only what becomes of it is written down. The agreed period
-- may be extended, which is recorded beside it (plan_escalations).
create function hearth.shared_is_immutable() returns trigger language plpgsql as $$
declare
    shared boolean;
    kept text[];
begin
    if tg_table_name = 'plans' then
        shared := old.shared_at is not null;
        kept := array['status', 'start_on', 'end_on', 'end_reason', 'agreed_change_by', 'review_due_on', 'latest_category', 'version'];
        if not shared then
            return new;
        end if;
    else
        select p.shared_at is not null into shared from public.plans p where p.id = new.plan_id;
        -- A generated column has no value yet before the row is written.
        kept := case tg_table_name when 'plan_goals' then array['status', 'version', 'lineage_id']
                else array['done_on', 'outcome', 'dropped_on', 'version'] end;
        if not coalesce(shared, false) then
            return new;
        end if;
    end if;
    if tg_op = 'INSERT' or (to_jsonb(new) - kept) <> (to_jsonb(old) - kept) then
        raise exception 'this version was shared: revise the plan' using errcode = 'HE003';
    end if;
    return new;
end $$;
create trigger shared_is_immutable before update on plans
    for each row execute function hearth.shared_is_immutable();
create trigger shared_is_immutable before insert or update on plan_goals
    for each row execute function hearth.shared_is_immutable();
create trigger shared_is_immutable before insert or update on plan_actions
    for each row execute function hearth.shared_is_immutable();
revoke execute on function hearth.chosen_once(), hearth.shared_is_immutable() from public;
