-- Cases and who holds them (domain 2.3).

create table cases (
    id uuid primary key,
    case_no bigint generated always as identity unique,
    child_id uuid not null references children (id),
    opened_on date not null,
    status text not null check (status in (
        'REFERRED', 'ASSESSMENT', 'CONFERENCE_PENDING', 'CIN', 'CP', 'CARE_DECISION',
        'LOOKED_AFTER', 'LOOKED_AFTER_LAC', 'CARE_LEAVER', 'CLOSED')),
    primary_need text check (primary_need in ('N0', 'N1', 'N2', 'N3', 'N4', 'N5', 'N6', 'N7', 'N8', 'N9')),
    referral_nfa boolean not null default false,
    referral_summary text,
    closed_on date check (closed_on >= opened_on),
    closure_reason text check (closure_reason in ('RC1', 'RC2', 'RC3', 'RC4', 'RC5', 'RC6', 'RC7', 'RC8', 'RC9')),
    closure_rationale text,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    unique (id, child_id),
    check (primary_need is not null or referral_nfa),
    check ((closed_on is null) = (closure_reason is null)),
    check ((closed_on is null) = (status <> 'CLOSED')),
    constraint cases_of_a_child_never_overlap
        exclude using gist (child_id with =, daterange(opened_on, closed_on) with &&) where (not referral_nfa)
);
create index on cases (child_id);
create index on cases (opened_on desc, id);

create table case_transfers (
    id uuid primary key,
    case_id uuid not null,
    child_id uuid not null,
    from_unit_id uuid not null references units (id),
    to_unit_id uuid not null references units (id),
    kind text not null check (kind in ('WITHIN_SERVICE', 'TO_CIN', 'TO_LAC', 'TO_ADOPTION', 'OTHER_LA')),
    state text not null check (state in ('REQUESTED', 'ACCEPTED', 'REJECTED', 'WITHDRAWN', 'COMPLETED')),
    requested_by uuid not null references workers (id),
    requested_at timestamptz not null,
    responded_by uuid references workers (id),
    responded_at timestamptz,
    effective_on date,
    handover_summary text not null check (handover_summary <> ''),
    joint_meeting_on date,
    version integer not null default 1,
    foreign key (case_id, child_id) references cases (id, child_id),
    check (from_unit_id <> to_unit_id),
    check ((state = 'REQUESTED') = (responded_at is null))
);
create unique index one_requested_transfer on case_transfers (case_id) where state = 'REQUESTED';
create index on case_transfers (case_id, child_id);
create index on case_transfers (from_unit_id);
create index on case_transfers (to_unit_id);
create index on case_transfers (requested_by);
create index on case_transfers (responded_by);

create table allocations (
    id uuid primary key,
    case_id uuid not null,
    child_id uuid not null,
    unit_id uuid not null references units (id),
    kind text not null check (kind in ('PRIMARY', 'JOINT', 'COVER')),
    started_at timestamptz not null,
    ended_at timestamptz check (ended_at >= started_at),
    reason_start text not null,
    reason_end text,
    transfer_id uuid references case_transfers (id),
    summary text,
    priority text not null default 'NONE' check (priority in ('NONE', 'LOW', 'MEDIUM', 'HIGH', 'URGENT')),
    created_by uuid references workers (id),
    version integer not null default 1,
    foreign key (case_id, child_id) references cases (id, child_id),
    check ((ended_at is null) = (reason_end is null)),
    constraint one_primary_allocation
        exclude using gist (case_id with =, tstzrange(started_at, ended_at) with &&) where (kind = 'PRIMARY'),
    constraint one_helping_allocation_per_unit
        exclude using gist (case_id with =, unit_id with =, tstzrange(started_at, ended_at) with &&)
        where (kind <> 'PRIMARY')
);
create index on allocations (case_id, child_id);
create index on allocations (child_id);
create index on allocations (unit_id, started_at desc, id) where ended_at is null;
create index on allocations (unit_id);
create index on allocations (transfer_id);
create index on allocations (created_by);

create table worker_involvements (
    id uuid primary key,
    case_id uuid not null,
    child_id uuid not null,
    worker_id uuid not null references workers (id),
    capacity text not null check (capacity in (
        'LEAD_PRACTITIONER', 'CO_WORKER', 'CLINICAL', 'PARENTING_SUPPORT', 'PERSONAL_ADVISER', 'IRO', 'CP_CHAIR',
        'SUPERVISING_SW')),
    started_at timestamptz not null,
    ended_at timestamptz check (ended_at >= started_at),
    change_reason text check (change_reason in (
        'MANAGE', 'FCONTA', 'LEFTRL', 'ORGRST', 'TSPROC', 'ABSENC', 'CHCHAN', 'PCCHAN', 'SWDIED', 'OTHERS')),
    version integer not null default 1,
    foreign key (case_id, child_id) references cases (id, child_id),
    constraint one_lead_practitioner
        exclude using gist (case_id with =, tstzrange(started_at, ended_at) with &&) where (capacity = 'LEAD_PRACTITIONER'),
    exclude using gist (case_id with =, worker_id with =, capacity with =, tstzrange(started_at, ended_at) with &&)
);
create index on worker_involvements (case_id, child_id);
create index on worker_involvements (worker_id);

select hearth.guard('cases', 'child_id', 'id');
select hearth.guard('case_transfers', 'child_id', 'case_id');
select hearth.guard('allocations', 'child_id', 'case_id');
select hearth.guard('worker_involvements', 'child_id', 'case_id');
grant update on cases to hearth_app;
grant insert, update on case_transfers, allocations, worker_involvements to hearth_app;

create trigger only_ends before update or delete on allocations for each row execute function hearth.only_ends();
create trigger only_ends before update or delete on worker_involvements for each row execute function hearth.only_ends();

-- A transfer's request is never rewritten, only answered, once.
create function hearth.only_answered() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'a transfer is never deleted' using errcode = 'HE003';
    end if;
    if old.state <> 'REQUESTED'
        or to_jsonb(new) - array['state', 'responded_by', 'responded_at', 'effective_on', 'version']
           <> to_jsonb(old) - array['state', 'responded_by', 'responded_at', 'effective_on', 'version'] then
        raise exception 'a transfer can only be answered, once' using errcode = 'HE003';
    end if;
    return new;
end $$;
create trigger only_answered before update or delete on case_transfers
    for each row execute function hearth.only_answered();

-- What opens and closes sight of a child.
create function hearth.allocation_opens_sight() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_op = 'INSERT' and new.ended_at is null then
        insert into public.sight (subject_id, holder_id, source_id, whole)
            select new.child_id, h.id, new.id, true
            from (select new.unit_id as id union all select u.area_id from public.units u where u.id = new.unit_id) h
            on conflict do nothing;
        if new.kind = 'PRIMARY' then
            delete from public.sight where source_id = new.case_id;
        end if;
    elsif tg_op = 'UPDATE' and old.ended_at is null and new.ended_at is not null then
        if new.kind = 'PRIMARY' then
            insert into public.sight (subject_id, holder_id, source_id, whole)
                select o.subject, hearth.queue(), c.id, false
                from public.cases c cross join lateral (values (c.child_id), (c.id)) as o (subject)
                where c.id = new.case_id and c.status <> 'CLOSED'
                on conflict do nothing;
        end if;
        delete from public.sight where source_id = new.id;
    end if;
    return null;
end $$;
create trigger allocation_opens_sight after insert or update on allocations
    for each row execute function hearth.allocation_opens_sight();

create function hearth.case_enters_queue() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_op = 'INSERT' and new.status <> 'CLOSED' then
        insert into public.sight (subject_id, holder_id, source_id, whole)
            values (new.child_id, hearth.queue(), new.id, false), (new.id, hearth.queue(), new.id, false)
            on conflict do nothing;
    elsif tg_op = 'UPDATE' and new.status = 'CLOSED' then
        delete from public.sight where source_id = new.id;
    end if;
    return null;
end $$;
create trigger case_enters_queue after insert or update of status on cases
    for each row execute function hearth.case_enters_queue();

create function hearth.involvement_opens_sight() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    -- Whoever has a part as a member of the unit sees with the unit, and no longer than it holds the case and they
    -- belong to it. Only a part beside the unit opens sight of its own.
    if tg_op = 'INSERT' and new.ended_at is null
        and new.capacity not in ('LEAD_PRACTITIONER', 'CO_WORKER', 'CLINICAL') then
        insert into public.sight (subject_id, holder_id, source_id, whole)
            values (new.child_id, new.worker_id, new.id, true) on conflict do nothing;
    elsif tg_op = 'UPDATE' and new.ended_at is not null then
        delete from public.sight where source_id = new.id;
    end if;
    return null;
end $$;
create trigger involvement_opens_sight after insert or update on worker_involvements
    for each row execute function hearth.involvement_opens_sight();

create function hearth.transfer_opens_sight() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_op = 'INSERT' and new.state = 'REQUESTED' then
        insert into public.sight (subject_id, holder_id, source_id, whole)
            select o.subject, h.id, new.id, false
            from (select new.to_unit_id as id union all select u.area_id from public.units u where u.id = new.to_unit_id) h
            cross join (values (new.child_id), (new.case_id)) as o (subject)
            on conflict do nothing;
    elsif tg_op = 'UPDATE' and new.state <> 'REQUESTED' then
        delete from public.sight where source_id = new.id;
    end if;
    return null;
end $$;
create trigger transfer_opens_sight after insert or update on case_transfers
    for each row execute function hearth.transfer_opens_sight();

grant create on schema hearth to hearth_rights;
alter function hearth.allocation_opens_sight() owner to hearth_rights;
alter function hearth.case_enters_queue() owner to hearth_rights;
alter function hearth.involvement_opens_sight() owner to hearth_rights;
alter function hearth.transfer_opens_sight() owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.allocation_opens_sight(), hearth.case_enters_queue(), hearth.only_answered(),
    hearth.involvement_opens_sight(), hearth.transfer_opens_sight() from public;

-- How many open cases a unit holds is asked before a case is allocated to it by somebody who sees none of them.
create function hearth.cases_held(unit uuid) returns bigint
    language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select count(*) from public.allocations a where a.unit_id = unit and a.kind = 'PRIMARY' and a.ended_at is null
$$;
grant create on schema hearth to hearth_rights;
alter function hearth.cases_held(uuid) owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.cases_held(uuid) from public;
grant execute on function hearth.cases_held(uuid) to hearth_app;
