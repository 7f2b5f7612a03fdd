-- Assessment and safeguarding (domain 2.5): child and family assessments, strategy discussions, section 47 enquiries, who of
-- other agencies takes part, and what they are asked for.
--
-- That there is one, since when and what came of it belongs to a case's core; what was said and found is read by whoever sees
-- the child whole.

create function hearth.factors() returns text[] language sql immutable parallel safe as $$
    select array['1A', '1B', '1C', '2A', '2B', '2C', '3A', '3B', '3C', '4A', '4B', '4C', '5A', '5B', '5C', '6A', '6B', '6C',
                 '7A', '8B', '8C', '8D', '8E', '8F', '9A', '10A', '11A', '12A', '13A', '14A', '15A', '16A', '17A', '18B',
                 '18C', '19B', '19C', '20', '21', '22A', '23A', '24A']
$$;

create table assessments (
    id uuid primary key,
    case_id uuid not null,
    child_id uuid not null,
    status text not null default 'IN_PROGRESS' check (status in ('IN_PROGRESS', 'SUBMITTED', 'AUTHORISED')),
    started_on date not null,
    -- When the unit looks at it together, before it is due.
    review_on date check (review_on >= started_on),
    author_id uuid not null references workers (id),
    child_seen_on date check (child_seen_on >= started_on),
    child_seen_alone boolean,
    not_seen_reason text,
    wishes_feelings text,
    analysis text,
    factors text[] not null default '{}' check (factors <@ hearth.factors()),
    outcome text check (outcome in ('NFA', 'EARLY_HELP', 'CIN_PLAN', 'STRATEGY_S47', 'OTHER')),
    -- Who wrote it last.
    written_by uuid not null references workers (id),
    submitted_by uuid references workers (id),
    submitted_at timestamptz,
    -- Why the last submission was given back.
    returned_reason text,
    authorised_by uuid references workers (id),
    authorised_at timestamptz,
    authorised_reason text,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    foreign key (case_id, child_id) references cases (id, child_id),
    unique (id, child_id),
    check ((child_seen_on is null) = (child_seen_alone is null)),
    check ((status = 'IN_PROGRESS') = (submitted_by is null)),
    check (num_nonnulls(submitted_by, submitted_at, outcome) in (0, 3)),
    check ((status = 'AUTHORISED') = (authorised_by is not null)),
    check (num_nonnulls(authorised_by, authorised_at, authorised_reason) in (0, 3)),
    constraint another_person_authorises check (authorised_by <> all (array[author_id, written_by, submitted_by])),
    -- Without one of its factors an assessment is not finished; that there is none stands alone.
    check (status = 'IN_PROGRESS' or cardinality(factors) > 0),
    check (not '21' = any (factors) or cardinality(factors) = 1),
    check (status = 'IN_PROGRESS' or (analysis is not null and num_nonnulls(child_seen_on, not_seen_reason) > 0))
);
create unique index one_open_assessment on assessments (case_id) where status <> 'AUTHORISED';
create index on assessments (case_id, child_id);
create index on assessments (child_id);
create index on assessments (author_id);
create index on assessments (written_by);
create index on assessments (submitted_by);
create index on assessments (authorised_by);

-- What was answered about needs stands with a contact or with an assessment.
alter table particular_needs
    alter contact_id drop not null,
    alter contact_person_id drop not null,
    add column assessment_id uuid,
    add column child_id uuid,
    add column subject_id uuid not null generated always as (coalesce(contact_id, child_id)) stored,
    add foreign key (assessment_id, child_id) references assessments (id, child_id),
    add constraint need_of_one_record check (num_nonnulls(contact_id, contact_person_id) in (0, 2)
        and num_nonnulls(assessment_id, child_id) in (0, 2) and (contact_id is null) <> (assessment_id is null)),
    add constraint one_answer_of_an_assessment unique (assessment_id, kind);
create index on particular_needs (assessment_id, child_id);
create index on particular_needs (child_id);
alter policy in_sight on particular_needs
    using (exists (select from sight s where s.subject_id = particular_needs.subject_id and s.whole));
alter policy of_people_in_sight on particular_needs
    using (contact_person_id is null or exists (select from contact_people p where p.id = contact_person_id));
alter policy authorised_insert on particular_needs with check (subject_id = any ((select hearth.writing())::uuid[]));
alter policy authorised_update on particular_needs
    using (subject_id = any ((select hearth.writing())::uuid[])) with check (subject_id = any ((select hearth.writing())::uuid[]));

-- One row for each child of a meeting: what was said of one is not read with the other.
create table strategy_discussions (
    id uuid primary key,
    meeting_id uuid not null,
    case_id uuid not null,
    child_id uuid not null,
    held_at timestamptz not null,
    information_shared text not null check (information_shared <> ''),
    decision text not null check (decision in ('S47_SINGLE', 'S47_JOINT', 'POLICE_ONLY', 'ASSESS_S17', 'NFA')),
    decision_reason text not null check (decision_reason <> ''),
    immediate_action text,
    actions text[] not null default '{}',
    -- Why it was held without the police or without health.
    absence_reason text,
    recorded_by uuid not null references workers (id),
    recorded_at timestamptz not null check (recorded_at >= held_at),
    foreign key (case_id, child_id) references cases (id, child_id),
    unique (meeting_id, child_id),
    unique (id, case_id, child_id)
);
create index on strategy_discussions (case_id, child_id);
create index on strategy_discussions (child_id);
create index on strategy_discussions (recorded_by);

create table strategy_participants (
    id uuid primary key,
    discussion_id uuid not null,
    case_id uuid not null,
    child_id uuid not null,
    position integer not null check (position > 0),
    agency text not null check (agency in (
        'SOCIAL_CARE', 'POLICE_CAIT', 'HEALTH', 'SCHOOL', 'EARLY_YEARS', 'PROBATION', 'HOUSING', 'OTHER')),
    organisation text,
    name text not null check (name <> ''),
    role text,
    foreign key (discussion_id, case_id, child_id) references strategy_discussions (id, case_id, child_id),
    unique (discussion_id, position)
);
create index on strategy_participants (discussion_id, case_id, child_id);
create index on strategy_participants (child_id);

create table section47_enquiries (
    id uuid primary key,
    case_id uuid not null,
    child_id uuid not null,
    discussion_id uuid not null,
    started_on date not null,
    mode text not null check (mode in ('SINGLE', 'JOINT')),
    lead_id uuid references workers (id),
    police_reference text,
    child_seen_on date check (child_seen_on >= started_on),
    child_seen_alone boolean,
    -- Whether the child was interviewed for evidence, and seen by a doctor.
    interviewed boolean not null default false,
    medical boolean not null default false,
    status text not null default 'OPEN' check (status in ('OPEN', 'AWAITING_COUNTERSIGNATURE', 'CONCLUDED')),
    outcome text check (outcome in (
        'INITIAL_CONFERENCE', 'OTHER_AGENCY_MONITORS', 'CONTINUE_ASSESSMENT', 'LEGAL_ACTION', 'SERVICES_S17',
        'SHORT_BREAK_S17', 'NFA', 'OTHER')),
    findings text,
    decided_by uuid references workers (id),
    -- A conference that was asked for before is not the one that this outcome calls for.
    decided_at timestamptz check ((decided_at at time zone 'Europe/London')::date >= started_on),
    -- Where the case stood before its outcome called for a conference: there it goes back when no plan is made.
    case_status_before text check (case_status_before in ('REFERRED', 'ASSESSMENT', 'CIN')),
    returned_reason text,
    countersigned_by uuid references workers (id),
    countersigned_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    foreign key (case_id, child_id) references cases (id, child_id),
    foreign key (discussion_id, case_id, child_id) references strategy_discussions (id, case_id, child_id),
    unique (id, case_id, child_id),
    check ((child_seen_on is null) = (child_seen_alone is null)),
    check ((status = 'OPEN') = (outcome is null)),
    check (num_nonnulls(outcome, findings, decided_by, decided_at) in (0, 4)),
    check (mode = 'JOINT' or police_reference is null),
    check (num_nonnulls(countersigned_by, countersigned_at) in (0, 2)),
    -- No conference is two people's decision.
    constraint no_conference_is_countersigned check (
        (status = 'CONCLUDED' and outcome <> 'INITIAL_CONFERENCE') = (countersigned_by is not null)),
    constraint another_person_countersigns check (countersigned_by <> decided_by),
    constraint a_conference_waits_for_nobody check (status <> 'AWAITING_COUNTERSIGNATURE' or outcome <> 'INITIAL_CONFERENCE')
);
create unique index one_open_enquiry on section47_enquiries (case_id) where status <> 'CONCLUDED';
create index on section47_enquiries (case_id, child_id);
create index on section47_enquiries (child_id);
create index on section47_enquiries (discussion_id, case_id, child_id);
create index on section47_enquiries (lead_id);
create index on section47_enquiries (decided_by);
create index on section47_enquiries (countersigned_by);

-- The enquiry that an initial conference follows.
alter table conference_children
    add column enquiry_id uuid,
    add foreign key (enquiry_id, case_id, child_id) references section47_enquiries (id, case_id, child_id);
create index on conference_children (enquiry_id, case_id, child_id);

-- Somebody of another agency who works with the child and takes part.
create table agency_participants (
    id uuid primary key,
    case_id uuid not null,
    child_id uuid not null,
    agency text not null check (agency in (
        'POLICE_CAIT', 'HEALTH', 'SCHOOL', 'EARLY_YEARS', 'PROBATION', 'HOUSING', 'OTHER')),
    organisation text not null check (organisation <> ''),
    name text,
    contact text,
    joined_on date not null,
    left_on date check (left_on >= joined_on),
    added_by uuid not null references workers (id),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    foreign key (case_id, child_id) references cases (id, child_id),
    unique (id, case_id, child_id)
);
create index on agency_participants (case_id, child_id);
create index on agency_participants (child_id);
create index on agency_participants (added_by);

-- What somebody of another agency is asked for. In an enquiry they are required to answer (Children Act 1989 s47(9) to (11)).
create table information_requests (
    id uuid primary key,
    case_id uuid not null,
    child_id uuid not null,
    participant_id uuid not null,
    enquiry_id uuid,
    duty text not null check (duty in ('S47', 'S17_CONSENT', 'COURT')),
    questions text not null check (questions <> ''),
    asked_by uuid not null references workers (id),
    asked_at timestamptz not null,
    due_at timestamptz not null check (due_at > asked_at),
    status text not null default 'SENT' check (status in ('SENT', 'CHASED', 'RESPONDED', 'REFUSED', 'WITHDRAWN')),
    received_at timestamptz check (received_at >= asked_at),
    response text,
    refused_at timestamptz check (refused_at >= asked_at),
    refusal_reason text,
    refused_by uuid references workers (id),
    -- Whose managers heard of the refusal.
    escalated_to uuid references workers (id),
    withdrawn_reason text,
    recorded_by uuid references workers (id),
    version integer not null default 1,
    foreign key (case_id, child_id) references cases (id, child_id),
    foreign key (participant_id, case_id, child_id) references agency_participants (id, case_id, child_id),
    foreign key (enquiry_id, case_id, child_id) references section47_enquiries (id, case_id, child_id),
    unique (id, child_id),
    check ((duty = 'S47') = (enquiry_id is not null)),
    check (num_nonnulls(received_at, response) in (0, 2)),
    check ((status = 'RESPONDED') = (received_at is not null)),
    check (num_nonnulls(refused_at, refusal_reason, refused_by) in (0, 3)),
    check (status <> 'REFUSED' or refused_at is not null),
    check ((status = 'WITHDRAWN') = (withdrawn_reason is not null)),
    check (status in ('SENT', 'CHASED', 'REFUSED') or recorded_by is not null)
);
create index on information_requests (case_id, child_id);
create index on information_requests (child_id);
create index on information_requests (participant_id, case_id, child_id);
create index on information_requests (enquiry_id, case_id, child_id);
create index on information_requests (asked_by);
create index on information_requests (recorded_by);
create index on information_requests (refused_by);
create index on information_requests (escalated_to);

create table information_chases (
    id uuid primary key,
    request_id uuid not null,
    child_id uuid not null,
    method text not null check (method in ('LETTER', 'EMAIL', 'PHONE', 'IN_PERSON')),
    note text,
    chased_by uuid not null references workers (id),
    chased_at timestamptz not null,
    foreign key (request_id, child_id) references information_requests (id, child_id)
);
create index on information_chases (request_id, child_id);
create index on information_chases (child_id);
create index on information_chases (chased_by);

select hearth.guard('assessments', 'child_id', 'case_id');
select hearth.guard('strategy_discussions', 'child_id', 'case_id');
select hearth.guard('strategy_participants', 'child_id');
select hearth.guard('section47_enquiries', 'child_id', 'case_id');
select hearth.guard('agency_participants', 'child_id');
select hearth.guard('information_requests', 'child_id');
select hearth.guard('information_chases', 'child_id');
grant insert on assessments, strategy_discussions, strategy_participants, section47_enquiries, agency_participants,
    information_requests, information_chases to hearth_app;
grant update (status, review_on, child_seen_on, child_seen_alone, not_seen_reason, wishes_feelings, analysis, factors, outcome,
              written_by, submitted_by, submitted_at, returned_reason, authorised_by, authorised_at, authorised_reason, version)
    on assessments to hearth_app;
grant update (answer, description, what_we_will_do, recorded_by, recorded_at) on particular_needs to hearth_app;
grant update (lead_id, police_reference, child_seen_on, child_seen_alone, interviewed, medical, status, outcome, findings,
              decided_by, decided_at, case_status_before, returned_reason, countersigned_by, countersigned_at, version)
    on section47_enquiries to hearth_app;
grant update (name, contact, left_on, version) on agency_participants to hearth_app;
grant update (status, received_at, response, refused_at, refusal_reason, refused_by, escalated_to, withdrawn_reason, recorded_by, version)
    on information_requests to hearth_app;

-- What is finished stays as it is.
create function hearth.stays_finished() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        raise exception '% is never deleted', tg_table_name using errcode = 'HE003';
    end if;
    if to_jsonb(old) ->> tg_argv[0] = any (string_to_array(tg_argv[1], ',')) then
        raise exception '% is finished', tg_table_name using errcode = 'HE003';
    end if;
    return new;
end $$;
create trigger stays_finished before update or delete on assessments
    for each row execute function hearth.stays_finished('status', 'AUTHORISED');
create trigger never_deleted before delete on section47_enquiries
    for each row execute function hearth.stays_finished('status', 'CONCLUDED');
-- An enquiry whose conference is not to be held after all is decided again.
create trigger stays_finished before update on section47_enquiries
    for each row when (old.outcome is distinct from 'INITIAL_CONFERENCE' or new.status <> 'OPEN')
    execute function hearth.stays_finished('status', 'CONCLUDED');
create trigger stays_finished before update or delete on information_requests
    for each row execute function hearth.stays_finished('status', 'RESPONDED,WITHDRAWN');
create trigger appended_only before update or delete on strategy_discussions
    for each row execute function hearth.appended_only();
create trigger appended_only before update or delete on strategy_participants
    for each row execute function hearth.appended_only();
create trigger appended_only before update or delete on information_chases
    for each row execute function hearth.appended_only();
-- An answer to a contact is given while that is undecided, and stays; one of an assessment is given, and given anew, while that
-- is in progress.
drop trigger while_undecided on particular_needs;
create trigger while_undecided before insert or update on particular_needs
    for each row when (new.contact_id is not null) execute function hearth.while_undecided();
create function hearth.need_stays() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_op = 'DELETE' or tg_op = 'UPDATE' and old.assessment_id is null
        or session_user = 'hearth_app' and exists (
            select from public.assessments a where a.id = new.assessment_id and a.status <> 'IN_PROGRESS') then
        raise exception 'an answer about needs stays' using errcode = 'HE003';
    end if;
    return new;
end $$;
create trigger need_stays before insert or update or delete on particular_needs
    for each row execute function hearth.need_stays();

-- No case closes over an enquiry that is not over (census rule 8868); and none with an enquiry or a protection plan is closed as
-- after an assessment alone (8825Q, 2990).
create function hearth.closed_after_assessment() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if exists (select from public.section47_enquiries e where e.case_id = new.id and e.status <> 'CONCLUDED') then
        raise exception 'a case closes when its enquiry is over' using errcode = 'HE003';
    end if;
    if new.closure_reason in ('RC8', 'RC9')
        and (exists (select from public.section47_enquiries e where e.case_id = new.id)
             or exists (select from public.plans p where p.case_id = new.id and p.kind = 'CHILD_PROTECTION')) then
        raise exception 'a case with an enquiry or a protection plan is closed for another reason' using errcode = 'HE003';
    end if;
    return null;
end $$;
create trigger closed_after_assessment after update of closure_reason on cases
    for each row when (new.closure_reason is not null) execute function hearth.closed_after_assessment();

-- The child of an assessment, a discussion, an enquiry or what others were asked, too, for who asks the audit of it.
create or replace function hearth.audit_child(record uuid) returns uuid
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    child uuid := (select c.child_id from public.cases c where c.id = record
                   union select p.child_id from public.plans p where p.id = record
                   union select a.child_id from public.assessments a where a.id = record
                   union select s.child_id from public.strategy_discussions s where s.id = record
                   union select e.child_id from public.section47_enquiries e where e.id = record
                   union select r.child_id from public.information_requests r where r.id = record);
begin
    return case when hearth.sees(child) or hearth.auditing() = any (hearth.holders()) then child end;
end $$;


grant create on schema hearth to hearth_rights;
alter function hearth.closed_after_assessment() owner to hearth_rights;
alter function hearth.need_stays() owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.factors(), hearth.stays_finished(), hearth.need_stays(), hearth.closed_after_assessment()
    from public;
grant execute on function hearth.factors() to hearth_app, hearth_seed, hearth_rights, hearth_owner;
