-- Conferences whole (domain 2.6, 3.2): invitations and their answers, reports, exclusions, sittings with attendance and
-- views, the steps that a conference took.

alter table conferences
    add column outline_plan_sent_at timestamptz,
    -- The consultant social worker asks to withdraw, the service manager does it: two people.
    add column withdrawal_proposed_by uuid references workers (id),
    add constraint withdrawal_while_requested check (withdrawal_proposed_by is null or state in ('REQUESTED', 'WITHDRAWN')),
    add constraint issued_means_sent
        check (state <> 'ISSUED' or minutes_sent_at is not null);
create index on conferences (withdrawal_proposed_by);

alter table conference_invitations
    add column report_requested_at timestamptz,
    add column report_received_at timestamptz check (report_received_at >= report_requested_at),
    add column report_shared_at timestamptz check (report_shared_at >= report_received_at),
    -- Why somebody who should be invited is not to come.
    add column exclusion text check (exclusion in ('EXCLUDED', 'WHEREABOUTS_UNKNOWN')),
    add column exclusion_reason text,
    add column excluded_by uuid references workers (id),
    add column excluded_at timestamptz,
    add constraint exclusion_is_reasoned
        check (num_nonnulls(exclusion, exclusion_reason, excluded_by, excluded_at) in (0, 4)),
    add constraint report_in_order check (
        (report_received_at is null or report_requested_at is not null)
        and (report_shared_at is null or report_received_at is not null));
create index on conference_invitations (excluded_by);
-- One invitation of one person, worker or agency: an answer has one place.
create unique index one_invitation_of_a_person on conference_invitations (conference_id, person_id);
create unique index one_invitation_of_a_worker on conference_invitations (conference_id, worker_id);
create unique index one_invitation_of_an_agency
    on conference_invitations (conference_id, capacity, lower(agency_name)) where agency_name is not null;
grant insert, update on conference_invitations to hearth_app;
-- Nobody is invited by whoever does not see them.
create policy invited_by_sight on conference_invitations as restrictive for insert to hearth_app
    with check (person_id is null or (select hearth.everything())
                or exists (select from sight s where s.subject_id = person_id));

-- Invitations are named by what follows; a person's goes along, so that what hides them hides it too.
alter table conference_invitations add constraint invitation_of_conference unique (id, conference_id);

alter table conference_children
    -- How the child took part (the statutory returns' code set).
    add column participation text check (participation in ('PN0', 'PN1', 'PN2', 'PN3', 'PN4', 'PN5', 'PN6', 'PN7'));

-- One coming together. A conference that was not quorate sits again.
create table conference_sittings (
    id uuid primary key,
    conference_id uuid not null references conferences (id),
    opened_at timestamptz not null check (extract(isodow from opened_at at time zone 'Europe/London') < 6),
    opened_by uuid not null references workers (id),
    ended_at timestamptz check (ended_at >= opened_at),
    outcome text check (outcome in ('DECIDED', 'INQUORATE')),
    quorate boolean,
    -- Why the chair went on without a quorum.
    quorum_exception text check (quorum_exception in ('ONLY_TWO_AGENCIES', 'PRE_BIRTH', 'DELAY_DETRIMENTAL')),
    -- What keeps the child safe until the conference sits again.
    interim_plan text,
    unique (id, conference_id),
    check (num_nonnulls(ended_at, outcome, quorate) in (0, 3)),
    check (outcome <> 'INQUORATE' or (not quorate and interim_plan is not null)),
    check (quorum_exception is null or not quorate),
    constraint decided_with_quorum_or_reason check (outcome <> 'DECIDED' or quorate or quorum_exception is not null)
);
create unique index one_sitting_at_a_time on conference_sittings (conference_id) where ended_at is null;
create index on conference_sittings (conference_id);
create index on conference_sittings (opened_by);

create table conference_attendances (
    id uuid primary key,
    sitting_id uuid not null,
    conference_id uuid not null,
    invitation_id uuid not null,
    -- Of the invitation.
    person_id uuid references persons (id),
    attended text not null check (attended in ('YES', 'NO', 'PARTIAL', 'REMOTE')),
    recorded_by uuid not null references workers (id),
    recorded_at timestamptz not null,
    unique (sitting_id, invitation_id),
    foreign key (sitting_id, conference_id) references conference_sittings (id, conference_id),
    foreign key (invitation_id, conference_id) references conference_invitations (id, conference_id)
);
create index on conference_attendances (sitting_id, conference_id);
create index on conference_attendances (invitation_id, conference_id);
create index on conference_attendances (person_id);
create index on conference_attendances (recorded_by);

-- What somebody who attended said to the decision. A dissent is minuted and blocks nothing.
create table conference_views (
    id uuid primary key,
    sitting_id uuid not null,
    conference_id uuid not null,
    invitation_id uuid not null,
    person_id uuid references persons (id),
    -- About one child only, when given.
    child_id uuid references children (id),
    agrees boolean not null,
    text text not null check (text <> ''),
    category text check (category in ('NEG', 'PHY', 'SAB', 'EMO', 'MUL')),
    recorded_by uuid not null references workers (id),
    recorded_at timestamptz not null,
    foreign key (sitting_id, conference_id) references conference_sittings (id, conference_id),
    foreign key (invitation_id, conference_id) references conference_invitations (id, conference_id)
);
create index on conference_views (sitting_id, conference_id);
create index on conference_views (invitation_id, conference_id);
create index on conference_views (conference_id);
create index on conference_views (person_id);
create index on conference_views (child_id);
create index on conference_views (recorded_by);

-- Every step that a conference took, with its reason where it needs one.
create table conference_steps (
    id uuid primary key,
    conference_id uuid not null references conferences (id),
    step text not null,
    state_before text not null,
    state_after text not null,
    reason text,
    taken_by uuid not null references workers (id),
    taken_at timestamptz not null,
    version integer not null,
    unique (conference_id, version)
);
create index on conference_steps (taken_by);

select hearth.guard('conference_sittings', 'conference_id');
select hearth.guard('conference_attendances', 'conference_id');
select hearth.guard('conference_views', 'conference_id');
select hearth.guard('conference_steps', 'conference_id');
grant insert, update on conference_sittings, conference_attendances to hearth_app;
grant insert on conference_views, conference_steps to hearth_app;
create policy invited_in_sight on conference_attendances as restrictive for select to hearth_app
    using (person_id is null or (select hearth.everything()) or exists (select from sight s where s.subject_id = person_id));
create policy invited_in_sight on conference_views as restrictive for select to hearth_app
    using (person_id is null or (select hearth.everything()) or exists (select from sight s where s.subject_id = person_id));
create policy about_in_sight on conference_views as restrictive for select to hearth_app
    using (child_id is null or (select hearth.everything()) or exists (select from sight s where s.subject_id = child_id and s.whole));

create function hearth.only_while_sitting() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or (tg_table_name = 'conference_sittings' and to_jsonb(old) ->> 'ended_at' is not null) then
        raise exception '% is history', tg_table_name using errcode = 'HE003';
    end if;
    return new;
end $$;
create trigger only_while_sitting before update or delete on conference_sittings
    for each row execute function hearth.only_while_sitting();
create function hearth.appended_only() returns trigger language plpgsql as $$
begin
    raise exception '% is history: it is only appended to', tg_table_name using errcode = 'HE003';
end $$;
create trigger appended_only before update or delete on conference_views
    for each row execute function hearth.appended_only();
create trigger appended_only before update or delete on conference_steps
    for each row execute function hearth.appended_only();
revoke execute on function hearth.only_while_sitting(), hearth.appended_only() from public;

-- Quorum counts everybody who came, also those whom the chair does not see by name.
create function hearth.agencies_present(sitting uuid) returns table (capacity text, agency_name text, came bigint)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select i.capacity, lower(i.agency_name), count(*)
    from public.conference_attendances a
    join public.conference_invitations i on i.id = a.invitation_id
    where a.sitting_id = sitting and a.attended <> 'NO' and a.conference_id = any (hearth.writing())
    group by 1, 2
$$;
grant create on schema hearth to hearth_rights;
alter function hearth.agencies_present(uuid) owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.agencies_present(uuid) from public;
grant execute on function hearth.agencies_present(uuid) to hearth_app;
