-- The front door (domain 2.4): contacts, whom they are about, what was asked about needs, consultations, referrals.
-- A contact is in the sight of the front door alone until it is decided. Then it is seen with the children whom it is about,
-- and the front door goes on seeing what ended with it, and what waits in the queue.

-- First response, and the managers of the areas whose units take what comes in.
create function hearth.front_door() returns uuid language sql immutable parallel safe as $$
    select '00000000-0000-7000-8000-000000000004'::uuid
$$;

create table contacts (
    id uuid primary key,
    contact_no bigint generated always as identity unique,
    received_at timestamptz not null,
    channel text not null check (channel in ('PHONE', 'WEB', 'EMAIL', 'IN_PERSON', 'POLICE_NOTIFICATION', 'OTHER')),
    source text not null check (source in (
        '1A', '1B', '1C', '1D', '2A', '2B', '3A', '3B', '3C', '3D', '3E', '3F', '4', '5A', '5B', '5C', '5D', '6', '7', '8',
        '9', '10')),
    -- Who called, as they say; nobody knows of an anonymous one.
    caller_name text,
    caller_contact text,
    concern text not null check (concern <> ''),
    consent text not null check (consent in ('GIVEN', 'REFUSED', 'NOT_ASKED_SAFETY', 'NOT_ASKED_OTHER')),
    status text not null default 'CONTACT' check (status in ('CONTACT', 'CONTACT_CLOSED', 'PASSED_TO_CASE', 'REFERRED')),
    urgency text check (urgency in ('RED', 'AMBER', 'GREEN')),
    triaged_by uuid references workers (id),
    triaged_at timestamptz,
    decision text check (decision in (
        'NO_FURTHER_ACTION', 'INFORMATION_ADVICE', 'SIGNPOST', 'CONSULTATION_MEETING', 'EARLY_HELP', 'PASS_TO_OPEN_CASE',
        'REFERRAL_STATUTORY', 'IMMEDIATE_PROTECTION')),
    decision_reason text,
    decided_by uuid references workers (id),
    decided_at timestamptz,
    -- When the caller was told what became of it, or why they were not.
    referrer_informed_at timestamptz,
    referrer_not_informed text check (referrer_not_informed in ('ANONYMOUS', 'UNSAFE', 'CANNOT_BE_REACHED')),
    taken_by uuid not null references workers (id),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    check (num_nonnulls(triaged_by, triaged_at, urgency) in (0, 3)),
    check (num_nonnulls(decision, decision_reason, decided_by, decided_at) in (0, 4)),
    check ((status = 'CONTACT') = (decision is null)),
    check ((source = '9') = (caller_name is null and caller_contact is null)),
    check (referrer_informed_at is null or referrer_not_informed is null)
);
create index on contacts (received_at desc, id);
create index on contacts (received_at desc, id) where status = 'CONTACT';
create index on contacts (triaged_by);
create index on contacts (decided_by);
create index on contacts (taken_by);

-- Whom a contact is about, as told. Who of them is a child whom the service knows is said by somebody, not guessed.
create table contact_people (
    id uuid primary key,
    contact_id uuid not null references contacts (id),
    position integer not null check (position > 0),
    kind text not null check (kind in ('CHILD', 'PARENT_OR_CARER', 'OTHER')),
    first_name text,
    last_name text,
    date_of_birth date,
    expected_date_of_birth date,
    sex text check (sex in ('M', 'F', 'U')),
    address text,
    -- When no name is known: the boy at number 12.
    description text,
    child_id uuid references children (id),
    matched_by uuid references workers (id),
    matched_at timestamptz,
    -- The case that the contact went to for this child.
    case_id uuid,
    unique (contact_id, position),
    foreign key (case_id, child_id) references cases (id, child_id),
    check (num_nonnulls(first_name, last_name, description) > 0),
    check (date_of_birth is null or expected_date_of_birth is null),
    check (num_nonnulls(child_id, matched_by, matched_at) in (0, 3)),
    check (child_id is null or kind = 'CHILD'),
    check (case_id is null or child_id is not null)
);
-- One child is not two of those whom a contact is about.
create unique index one_of_a_contact_is_one_child on contact_people (contact_id, child_id) where child_id is not null;
create index on contact_people (child_id);
create index on contact_people (case_id, child_id);
create index on contact_people (matched_by);

-- What was answered to the question about needs from religion, culture, language, disability: a need, none known, or asked and
-- declined. Nothing stands for any of them.
create table particular_needs (
    id uuid primary key,
    contact_id uuid not null references contacts (id),
    contact_person_id uuid not null references contact_people (id),
    kind text not null check (kind in ('RELIGION', 'CULTURE', 'DISABILITY', 'LANGUAGE', 'OTHER')),
    answer text not null check (answer in ('NEED', 'NONE_KNOWN', 'ASKED_DECLINED')),
    description text,
    what_we_will_do text,
    recorded_by uuid not null references workers (id),
    recorded_at timestamptz not null,
    unique (contact_person_id, kind),
    check ((answer = 'NEED') = (description is not null)),
    check (answer = 'NEED' or what_we_will_do is null)
);
create index on particular_needs (contact_id);
create index on particular_needs (recorded_by);

-- An invitation to meet with a social worker, where an immediate response is not required.
create table consultations (
    id uuid primary key,
    contact_id uuid not null references contacts (id),
    worker_id uuid not null references workers (id),
    scheduled_for timestamptz not null,
    place text,
    online boolean not null,
    state text not null default 'ARRANGED' check (state in ('ARRANGED', 'HELD', 'NOT_ATTENDED', 'CANCELLED')),
    note text,
    recorded_by uuid references workers (id),
    recorded_at timestamptz,
    version integer not null default 1,
    check ((state = 'ARRANGED') = (recorded_at is null)),
    check (num_nonnulls(recorded_by, recorded_at) in (0, 2)),
    check (online or place is not null)
);
create index on consultations (contact_id);
-- Another one is arranged only when nobody came, or it was cancelled.
create unique index one_consultation_of_a_contact on consultations (contact_id) where state in ('ARRANGED', 'HELD');
create index on consultations (worker_id);
create index on consultations (recorded_by);

-- What opened a case, and what was decided about it.
create table referrals (
    id uuid primary key,
    contact_id uuid not null references contacts (id),
    case_id uuid not null unique,
    child_id uuid not null,
    received_on date not null,
    source text not null check (source in (
        '1A', '1B', '1C', '1D', '2A', '2B', '3A', '3B', '3C', '3D', '3E', '3F', '4', '5A', '5B', '5C', '5D', '6', '7', '8',
        '9', '10')),
    category text not null check (category in (
        'NEGLECT', 'PHYSICAL_ABUSE', 'EMOTIONAL_ABUSE', 'SEXUAL_ABUSE', 'DOMESTIC_ABUSE', 'PARENTAL_MENTAL_HEALTH',
        'PARENTAL_SUBSTANCE_MISUSE', 'PARENTAL_DISABILITY_OR_ILLNESS', 'CHILD_MENTAL_HEALTH', 'SELF_HARM',
        'CHILD_SUBSTANCE_MISUSE', 'SEXUAL_EXPLOITATION', 'CRIMINAL_EXPLOITATION', 'COUNTY_LINES', 'GANGS',
        'SERIOUS_YOUTH_VIOLENCE', 'HARMFUL_SEXUAL_BEHAVIOUR', 'ONLINE_HARM', 'TRAFFICKING', 'FGM', 'FORCED_MARRIAGE',
        'FAITH_OR_BELIEF', 'RADICALISATION', 'MISSING', 'UNACCOMPANIED', 'PRIVATE_FOSTERING', 'YOUNG_CARER', 'DISABILITY',
        'UNBORN', 'HOMELESS_YOUNG_PERSON', 'FAMILY_BREAKDOWN', 'ABANDONED', 'NO_RECOURSE', 'COURT_REQUEST', 'OTHER')),
    decision text check (decision in ('ACCEPT_ASSESS', 'ACCEPT_S47', 'NFA', 'EARLY_HELP', 'OTHER_LA')),
    decision_reason text,
    decided_by uuid references workers (id),
    decided_at timestamptz,
    -- The unit that it is offered to: it reads the case's core until a unit holds the case.
    target_unit_id uuid references units (id),
    -- A case of the child had closed within the twelve months before.
    re_referral boolean not null,
    -- The unit that held the child's last case, when that had closed within the six months before.
    previous_unit_id uuid references units (id),
    created_by uuid not null references workers (id),
    created_at timestamptz not null,
    version integer not null default 1,
    foreign key (case_id, child_id) references cases (id, child_id),
    check (num_nonnulls(decision, decision_reason, decided_by, decided_at) in (0, 4)),
    check (target_unit_id is null or decision in ('ACCEPT_ASSESS', 'ACCEPT_S47'))
);
create index on referrals (contact_id);
create index on referrals (case_id, child_id);
create index on referrals (child_id);
create index on referrals (decided_by);
create index on referrals (created_by);
create index on referrals (target_unit_id);
create index on referrals (previous_unit_id);

select hearth.guard('contacts', 'id');
select hearth.guard('contact_people', 'contact_id');
select hearth.guard('particular_needs', 'contact_id');
select hearth.guard('consultations', 'contact_id');
select hearth.guard('referrals', 'child_id', 'case_id');
-- Of a contact about several, those whose record is out of sight are not shown.
create policy of_children_in_sight on contact_people as restrictive for select to hearth_app
    using (child_id is null or exists (select from sight s where s.subject_id = child_id));
create policy of_people_in_sight on particular_needs as restrictive for select to hearth_app
    using (exists (select from contact_people p where p.id = contact_person_id));
grant usage on sequence contacts_contact_no_seq to hearth_seed;
grant insert on contacts, contact_people, particular_needs, consultations, referrals to hearth_app;
grant update (status, urgency, triaged_by, triaged_at, decision, decision_reason, decided_by, decided_at,
              referrer_informed_at, referrer_not_informed, version) on contacts to hearth_app;
grant update (child_id, matched_by, matched_at, case_id) on contact_people to hearth_app;
grant update (state, note, recorded_by, recorded_at, version) on consultations to hearth_app;
grant update (decision, decision_reason, decided_by, decided_at, target_unit_id, version) on referrals to hearth_app;
-- A child whom nobody knew is registered, and a case opened.
grant insert on persons, children, cases to hearth_app;

-- What was decided stays decided; how a contact was told does not change.
create function hearth.stays_decided() returns trigger language plpgsql as $$
declare
    was jsonb := to_jsonb(old);
begin
    if tg_op = 'DELETE' then
        raise exception '% is never deleted', tg_table_name using errcode = 'HE003';
    end if;
    if tg_argv[0] = 'decision' and was ->> 'decision' is not null
        and to_jsonb(new) - array['referrer_informed_at', 'referrer_not_informed', 'version']
            <> was - array['referrer_informed_at', 'referrer_not_informed', 'version']
        or tg_argv[0] = 'recorded_at' and was ->> 'recorded_at' is not null
        or tg_argv[0] = 'case_id' and was ->> 'case_id' is not null then
        raise exception '% is decided' , tg_table_name using errcode = 'HE003';
    end if;
    return new;
end $$;
create trigger stays_decided before update or delete on contacts for each row execute function hearth.stays_decided('decision');
create trigger stays_decided before update or delete on referrals for each row execute function hearth.stays_decided('decision');
create trigger stays_decided before update or delete on consultations
    for each row execute function hearth.stays_decided('recorded_at');
create trigger stays_decided before update or delete on contact_people
    for each row execute function hearth.stays_decided('case_id');

-- Who sees a contact, as follows from what stands in the tables: the front door until it is decided, and what ended there; the
-- head of service; and from the decision on whoever sees a child whole whom it is about, as with a conference. Once somebody was
-- matched it is seen through the children: what locks a child locks the contact, unless it is also about another. Who is
-- matched is seen by the front door, as far as who they are, until the decision.
create function hearth.contact_is_seen(contact uuid) returns void
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    stands text := (select c.status from public.contacts c where c.id = contact);
    about uuid[] := array(select p.child_id from public.contact_people p
                          where p.contact_id = contact and p.child_id is not null order by 1);
    meeting public.consultations;
begin
    -- Before any row of sight is touched: a restriction takes these locks first too.
    perform from public.persons p where p.id = any (about) order by p.id for key share;
    select o.* into meeting from public.consultations o where o.contact_id = contact and o.state = 'ARRANGED';
    delete from public.sight s where s.source_id = contact
        or s.source_id in (select o.id from public.consultations o where o.contact_id = contact);
    if stands = 'CONTACT' then
        insert into public.sight (subject_id, holder_id, source_id, whole, through_id)
            select t.id, hearth.front_door(), contact, false, t.id from unnest(about) as t (id);
    else
        insert into public.sight_links (child_id, subject_id, source_id)
            select p.child_id, contact, p.id from public.contact_people p
            where p.contact_id = contact and p.child_id is not null
            on conflict do nothing;
    end if;
    -- With whom somebody is to meet sees it, and who the child is.
    if meeting.id is not null then
        insert into public.sight (subject_id, holder_id, source_id, whole, until, through_id)
            select t.id, meeting.worker_id, meeting.id, false, meeting.scheduled_for + interval '1 month', t.id
            from unnest(about) as t (id);
    end if;
    if cardinality(about) = 0 then
        about := array[contact];
    end if;
    insert into public.sight (subject_id, holder_id, source_id, whole, until, through_id)
        select contact, h.id, h.source, true, h.until, t.id
        from unnest(about) as t (id)
        cross join (values
            -- A child whom somebody knows is seen by the head of service anyway, and the contact with it once it is decided.
            (hearth.whole_service(), contact, null::timestamptz, stands = 'CONTACT' or about = array[contact]),
            (hearth.front_door(), contact, null, stands in ('CONTACT', 'CONTACT_CLOSED')),
            (meeting.worker_id, meeting.id, meeting.scheduled_for + interval '1 month', meeting.id is not null)
        ) as h (id, source, until, sees)
        where h.sees;
end $$;
create function hearth.contact_opens_sight() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_table_name = 'contacts' then
        perform hearth.contact_is_seen(new.id);
    else
        perform hearth.contact_is_seen(new.contact_id);
    end if;
    return null;
end $$;
create trigger contact_opens_sight after insert or update of status on contacts
    for each row execute function hearth.contact_opens_sight();
create trigger contact_opens_sight after insert or update of state on consultations
    for each row execute function hearth.contact_opens_sight();

-- Whoever matches a child must be able to see whom they matched: asked before the row is written. Opens to nobody but the front
-- door who a child is whose record is not kept from the viewer, and only while the contact is undecided.
create function hearth.open_match(about uuid, child uuid) returns boolean
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    me uuid := hearth.worker();
    contact uuid;
begin
    select p.contact_id into contact from public.contact_people p join public.contacts c on c.id = p.contact_id
        where p.id = about and p.kind = 'CHILD' and c.status = 'CONTACT' and c.id = any (hearth.writing());
    if not found or hearth.front_door() <> all (hearth.holders())
        or not exists (select from public.children k where k.id = child)
        or exists (select from public.person_locks l
                   where l.person_id = child and (me <> all (l.allowed) or me = any (l.barred))) then
        return false;
    end if;
    insert into public.sight (subject_id, holder_id, source_id, whole, through_id)
        values (child, hearth.front_door(), contact, false, child) on conflict do nothing;
    return true;
end $$;

-- How a contact was told, and who it is about, changes only while it is undecided; a case is named with the decision. A meeting
-- is arranged with the decision that there is to be one, or again.
create function hearth.while_undecided() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if session_user = 'hearth_app'
        and not exists (select from public.contacts c where c.id = new.contact_id and (c.status = 'CONTACT'
            or tg_table_name = 'consultations' and c.decision = 'CONSULTATION_MEETING')) then
        raise exception 'the contact is decided' using errcode = 'HE003';
    end if;
    return new;
end $$;
create trigger while_undecided before insert or update on contact_people
    for each row execute function hearth.while_undecided();
create trigger while_undecided before insert or update on particular_needs
    for each row execute function hearth.while_undecided();
create trigger while_undecided before insert on consultations
    for each row execute function hearth.while_undecided();

create function hearth.match_moves_sight() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if new.child_id is not null or tg_op = 'UPDATE' and old.child_id is not null then
        perform hearth.contact_is_seen(new.contact_id);
    end if;
    return null;
end $$;
create trigger match_moves_sight after insert or update of child_id on contact_people
    for each row execute function hearth.match_moves_sight();

-- What went to a case that waits for a unit is the front door's to read, until a unit holds it.
create function hearth.case_waits(waiting uuid) returns void
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    insert into public.sight (subject_id, holder_id, source_id, whole, through_id)
        select p.contact_id, hearth.front_door(), waiting, true, p.child_id
        from public.contact_people p join public.cases c on c.id = p.case_id
        where p.case_id = waiting and c.status <> 'CLOSED'
          and not exists (select from public.allocations a
                          where a.case_id = waiting and a.kind = 'PRIMARY' and a.ended_at is null)
        on conflict do nothing;
end $$;
create function hearth.contact_waits_with_case() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if new.case_id is not null then
        perform hearth.case_waits(new.case_id);
    end if;
    return null;
end $$;
create trigger contact_waits_with_case after insert or update of case_id on contact_people
    for each row execute function hearth.contact_waits_with_case();
create trigger contact_waits_with_case after update of ended_at on allocations
    for each row when (new.kind = 'PRIMARY' and new.ended_at is not null) execute function hearth.contact_waits_with_case();

-- Whether a worker may be named to meet with somebody of a contact: a social worker of a unit, from whom no child of it is kept.
create function hearth.may_meet(contact uuid, worker uuid) returns boolean
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return contact = any (hearth.writing()) and exists (
        select from public.unit_memberships m join public.workers w on w.id = m.worker_id
        where m.worker_id = worker and w.active and w.qualified
          and m.role in ('CONSULTANT_SOCIAL_WORKER', 'SOCIAL_WORKER')
          and m.started_at <= hearth.at() and (m.ended_at is null or m.ended_at > hearth.at()))
      and not exists (
        select from public.contact_people p join public.person_locks l on l.person_id = p.child_id
        where p.contact_id = contact and (worker <> all (l.allowed) or worker = any (l.barred)));
end $$;

-- How many children of a contact the viewer, who sees it, does not see: nothing is decided over their heads.
create function hearth.hidden_in(contact uuid) returns bigint
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    me uuid := hearth.worker();
begin
    if contact <> all (hearth.writing()) then
        return null;
    end if;
    return (select count(*) from public.contact_people p join public.person_locks l on l.person_id = p.child_id
            where p.contact_id = contact and (me <> all (l.allowed) or me = any (l.barred)));
end $$;

-- Whether who made the contact of a referral was told what became of it, or it is said why not. To whoever may close it.
create function hearth.referrer_told(referral uuid) returns boolean
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return hearth.queue() = any (hearth.holders()) and exists (
        select from public.referrals r join public.contacts c on c.id = r.contact_id
        where r.id = referral and num_nonnulls(c.referrer_informed_at, c.referrer_not_informed) > 0);
end $$;

-- Whether a contact about this child waits for a decision, or a meeting for somebody to say what came of it, and nobody who may
-- is among these workers: asked before a record is restricted to them, by whoever sees it.
create function hearth.leaves_contact(child uuid, listed uuid[]) returns boolean
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return hearth.sees(child) and exists (
        select from public.contact_people p join public.contacts c on c.id = p.contact_id
        where p.child_id = child and (c.status = 'CONTACT' or exists (
            select from public.consultations o
            where o.contact_id = c.id and o.state = 'ARRANGED' and o.worker_id <> all (listed))))
      and not exists (
        select from public.worker_posts o where o.worker_id = any (listed) and o.post = 'FIRST_RESPONSE'
          and o.started_at <= hearth.at() and (o.ended_at is null or o.ended_at > hearth.at()));
end $$;

create function hearth.referral_opens_sight() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if exists (select from public.cases c where c.id = new.case_id and c.status <> 'CLOSED')
        and not exists (select from public.allocations a
                        where a.case_id = new.case_id and a.kind = 'PRIMARY' and a.ended_at is null) then
        -- The unit that it is offered to, and who manages it.
        if new.target_unit_id is not null then
            insert into public.sight (subject_id, holder_id, source_id, whole, through_id)
                select o.subject, h.id, new.id, false, new.child_id
                from (select u.id from public.units u where u.id = new.target_unit_id
                      union all select u.area_id from public.units u where u.id = new.target_unit_id) h
                cross join (values (new.child_id), (new.case_id)) as o (subject)
                on conflict do nothing;
        end if;
    end if;
    return null;
end $$;
create trigger referral_opens_sight after insert or update of target_unit_id on referrals
    for each row execute function hearth.referral_opens_sight();

-- Once a unit holds the case, or it is closed, nobody has it on offer any more.
create function hearth.offer_is_over() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    delete from public.sight s using public.referrals r
        where r.case_id = (to_jsonb(new) ->> tg_argv[0])::uuid and s.source_id = r.id;
    return null;
end $$;
create trigger offer_is_over after insert on allocations
    for each row when (new.kind = 'PRIMARY') execute function hearth.offer_is_over('case_id');
create trigger offer_is_over after update of status on cases
    for each row when (new.status = 'CLOSED') execute function hearth.offer_is_over('id');

-- The children whom the service knows, as first response may know of them while a contact about somebody is undecided: that
-- they are there, and who holds or held them. By names and by the day of birth, as told unless others are asked for; likeliest
-- first. A restricted record is not among them, unless the viewer is on its list. Words of one letter find nobody.
create function hearth.known_children(about uuid, asked text, born date, expected date, child uuid)
    returns table (child_id uuid, first_name text, last_name text, date_of_birth date, expected_date_of_birth date, sex text,
                   all_names boolean, same_birth boolean, unit_ids uuid[], held_by uuid, open_case_id uuid, open_case_no bigint,
                   area_id uuid, lead_id uuid, last_closed_on date, last_unit_id uuid, last_held_to date)
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
declare
    me uuid := hearth.worker();
    now timestamptz := hearth.at();
    told public.contact_people;
    words bigint;
begin
    if not exists (select from public.worker_posts o where o.worker_id = me and o.post = 'FIRST_RESPONSE'
                   and o.started_at <= now and (o.ended_at is null or o.ended_at > now)) then
        return;
    end if;
    select p.* into told from public.contact_people p join public.contacts c on c.id = p.contact_id
        where p.id = about and p.kind = 'CHILD' and c.status = 'CONTACT';
    if not found then
        return;
    end if;
    asked := coalesce(asked, concat_ws(' ', told.first_name, told.last_name));
    if born is null and expected is null then
        born := told.date_of_birth;
        expected := told.expected_date_of_birth;
    end if;
    select count(*) into words from hearth.search_words(asked) w where length(w.word) > 1;
    return query
    with word as materialized (
        select w.*, row_number() over () as nth from hearth.search_words(asked) w where length(w.word) > 1
    ),
    named as (
        select n.person_id, w.nth from word w join public.person_names n
            on n.kind = 'WORD' and n.key >= w.word and n.key < w.beyond where child is null or n.person_id = child
        union select n.person_id, w.nth from word w cross join unnest(w.sounds) as s (key)
            join public.person_names n on n.kind = 'SOUND' and n.key = s.key where child is null or n.person_id = child
        union select n.person_id, w.nth from word w cross join unnest(w.nicknames) as s (key)
            join public.person_names n on n.kind = 'NICKNAME' and n.key = s.key where child is null or n.person_id = child
    ),
    found as (
        select n.person_id, count(distinct n.nth) = words as every from named n group by n.person_id
        union all
        select child, false where child is not null and not exists (select from named n)
    ),
    likeliest as (
        select p.*, f.every,
               coalesce(p.date_of_birth = born or p.expected_date_of_birth = expected, false) as same
        from found f
        join public.children k on k.id = f.person_id
        join public.persons p on p.id = k.id
        where (child is not null or f.every or p.date_of_birth = born or p.expected_date_of_birth = expected)
          and not exists (select from public.person_locks x
                          where x.person_id = p.id and (me <> all (x.allowed) or me = any (x.barred)))
        order by (f.every and coalesce(p.date_of_birth = born or p.expected_date_of_birth = expected, false)) desc,
            f.every desc, p.sort_name, p.id
        limit 20
    )
    select p.id, p.first_name, p.last_name, p.date_of_birth, p.expected_date_of_birth, p.sex, p.every, p.same,
        array(select a.unit_id from public.allocations a where a.child_id = p.id and a.ended_at is null order by a.started_at),
        o.unit_id, o.id, o.case_no, o.area_id, o.lead_id,
        (select max(c.closed_on) from public.cases c where c.child_id = p.id), l.unit_id, l.closed_on
    from likeliest p
    left join lateral (
        select c.id, c.case_no, a.unit_id, u.area_id,
            (select i.worker_id from public.worker_involvements i
             where i.case_id = c.id and i.capacity = 'LEAD_PRACTITIONER' and i.ended_at is null) as lead_id
        from public.cases c
        left join public.allocations a on a.case_id = c.id and a.kind = 'PRIMARY' and a.ended_at is null
        left join public.units u on u.id = a.unit_id
        where c.child_id = p.id and c.closed_on is null order by c.opened_on desc limit 1) o on true
    -- Who held the last case that anybody held.
    left join lateral (
        select c.closed_on, a.unit_id
        from public.cases c join public.allocations a on a.case_id = c.id and a.kind = 'PRIMARY'
        where c.child_id = p.id and c.closed_on is not null
        order by c.closed_on desc, a.started_at desc limit 1) l on true
    order by (p.every and p.same) desc, p.every desc, p.sort_name, p.id;
end $$;

-- A contact's events are about the children whom it is about, and kept from whom these are kept.
create or replace function hearth.subjects_with_event() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    insert into public.outbox_subjects (event_id, child_id, seq)
        select new.event_id, c.child_id, new.seq from public.cases c where c.id = new.case_id
        union
        select new.event_id, cc.child_id, new.seq from public.conference_children cc
        where cc.conference_id in (
            new.entity_id, (select i.conference_id from public.conference_invitations i where i.id = new.entity_id))
        union
        select new.event_id, p.child_id, new.seq from public.contact_people p
        where p.contact_id = new.entity_id and p.child_id is not null;
    return null;
end $$;

-- Rights: the front door's.
create or replace function hearth.renew_rights(renewed uuid) returns void
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    -- Two changes of one worker, in two units: the second sees what the first made of it. The row's lock, because a load of
    -- many workers at once would fill the table of all other locks.
    perform from public.workers w where w.id = renewed for no key update;
    delete from public.rights r where r.worker_id = renewed;
    insert into public.rights (worker_id, started_at, holders)
    select w.id, edge.at,
           w.id || managed.held || member.held
               || case when 'FIRST_RESPONSE' = any (post.held) or cardinality(managed.held) > 0
                       then array[hearth.queue()] else '{}' end
               || case when 'FIRST_RESPONSE' = any (post.held) or managed.takes_in
                       then array[hearth.front_door()] else '{}' end
               || case when 'HEAD_OF_SERVICE' = any (post.held) then array[hearth.whole_service()] else '{}' end
               || case when post.held && array['AUDITOR', 'HEAD_OF_SERVICE'] then array[hearth.auditing()] else '{}' end
    from public.workers w
    cross join lateral (
        select '-infinity'::timestamptz as at
        union select p.started_at from public.worker_posts p where p.worker_id = w.id
        union select p.ended_at from public.worker_posts p where p.worker_id = w.id and p.ended_at is not null
        union select m.started_at from public.unit_memberships m where m.worker_id = w.id
        union select m.ended_at from public.unit_memberships m where m.worker_id = w.id and m.ended_at is not null) edge
    cross join lateral (
        select array(select p.post from public.worker_posts p
                     where p.worker_id = w.id and p.started_at <= edge.at
                       and (p.ended_at is null or p.ended_at > edge.at)) as held) post
    cross join lateral (
        select array(select a.id from public.areas a where a.service_manager_id = w.id) as held,
               exists (select from public.areas a join public.units u on u.area_id = a.id
                       where a.service_manager_id = w.id and u.service in ('FIRST_RESPONSE', 'ACCESS_ASSESSMENT')) as takes_in
        ) managed
    cross join lateral (
        select array(select m.unit_id from public.unit_memberships m
                     where m.worker_id = w.id and m.started_at <= edge.at
                       and (m.ended_at is null or m.ended_at > edge.at)) as held) member
    where w.id = renewed and w.active;
end $$;

-- A unit that takes in what comes makes its area's manager one of the front door.
create function hearth.rights_follow_unit() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    one uuid;
begin
    for one in select distinct a.service_manager_id from public.areas a
               where a.service_manager_id is not null
                 and a.id = any (case when tg_op = 'UPDATE' then array[old.area_id, new.area_id] else array[new.area_id] end)
               order by 1 loop
        perform hearth.renew_rights(one);
    end loop;
    return null;
end $$;
create trigger rights_follow_unit after insert or update of service, area_id on units
    for each row execute function hearth.rights_follow_unit();

-- First response took the contact down: it reads all of it. Whole it sees contacts alone.
create or replace function hearth.reads(role text, class text) returns boolean language sql immutable parallel safe as $$
    select case class
        when 'CORE' then true
        when 'NARRATIVE' then true
        when 'CLINICAL' then role in ('CONSULTANT_SOCIAL_WORKER', 'SOCIAL_WORKER', 'CHILDRENS_PRACTITIONER', 'CLINICIAN',
                                      'SERVICE_MANAGER', 'CP_CHAIR', 'REVIEWING_OFFICER', 'FIRST_RESPONSE')
        when 'THIRD_PARTY' then role in ('CONSULTANT_SOCIAL_WORKER', 'SOCIAL_WORKER', 'CHILDRENS_PRACTITIONER', 'CLINICIAN',
                                         'SERVICE_MANAGER', 'CP_CHAIR', 'REVIEWING_OFFICER', 'FIRST_RESPONSE')
        when 'CONFIDENTIAL_ADDRESS' then role in ('CONSULTANT_SOCIAL_WORKER', 'SOCIAL_WORKER', 'CHILDRENS_PRACTITIONER',
                                                  'SERVICE_MANAGER', 'REVIEWING_OFFICER', 'FIRST_RESPONSE')
        else false end
$$;
create or replace function hearth.opens(class text) returns uuid[]
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    me uuid := hearth.worker();
    now timestamptz := hearth.at();
    held uuid[] := hearth.holders();
    units uuid[];
    areas uuid[];
    posts text[];
begin
    select array_agg(m.unit_id) into units from public.unit_memberships m
        where m.worker_id = me and m.started_at <= now and (m.ended_at is null or m.ended_at > now)
          and hearth.reads(m.role, class);
    select array_agg(a.id) into areas from public.areas a
        where a.service_manager_id = me and hearth.reads('SERVICE_MANAGER', class);
    select array_agg(p.post) into posts from public.worker_posts p
        where p.worker_id = me and p.started_at <= now and (p.ended_at is null or p.ended_at > now)
          and hearth.reads(p.post, class);
    -- Whole in person, by a glass that they broke, first response sees no more of a record than before.
    return coalesce(units, '{}') || coalesce(areas, '{}')
        || case when coalesce(units, areas) is not null or array_remove(posts, 'FIRST_RESPONSE') <> '{}'
                then array[me] else '{}' end
        || case when hearth.front_door() = any (held) and ('FIRST_RESPONSE' = any (posts) or areas is not null)
                then array[hearth.front_door()] else '{}' end
        || case when 'HEAD_OF_SERVICE' = any (posts) then array[hearth.whole_service()] else '{}' end;
end $$;

-- Events for a post: whoever has it, then and now.
alter table outbox_audience drop constraint outbox_audience_kind_check,
    add constraint outbox_audience_kind_check
        check (kind in ('UNIT', 'WORKER', 'AREA', 'LEAVING', 'ALONE', 'FORMER', 'POST'));
create policy recipients on worker_posts for select to hearth_bus using (post = 'FIRST_RESPONSE');
create policy recipients on units for select to hearth_bus using (true);
grant select (worker_id, post, started_at, ended_at) on worker_posts to hearth_bus;
grant select (id, area_id, service) on units to hearth_bus;

-- The second wall, with the posts.
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
    -- Whether they see a child whom it is about, by a right of their own: what a post sees is the queue.
    cross join lateral (
        select exists (
            select from public.outbox_subjects o join public.sight s on s.subject_id = o.child_id
            where o.event_id = p.event and s.whole and s.holder_id = any (held.holders)
              and s.holder_id <> all (array[hearth.whole_service(), hearth.queue()])
              and (s.until is null or s.until > at)
              and (s.allowed is null or p.worker = any (s.allowed))
              and (s.barred is null or p.worker <> all (s.barred))) as one) sees
    where (reached.unit or reached.alone or reached.post or (reached.area and reached.named)
           or (sees.one and (reached.area or reached.named or reached.former)))
      -- No restriction and no denial keeps a child in it from them, unless they see another one.
      and (sees.one or not exists (
          select from public.outbox_subjects o join public.person_locks l on l.person_id = o.child_id
          where o.event_id = p.event and (p.worker <> all (l.allowed) or p.worker = any (l.barred))));
end $$;

grant execute on function hearth.front_door() to hearth_rights, hearth_app, hearth_seed, hearth_owner;
grant execute on function hearth.search_words(text) to hearth_rights;
grant create on schema hearth to hearth_rights;
do $$
declare
    one text;
begin
    foreach one in array array['contact_is_seen(uuid)', 'contact_opens_sight()', 'open_match(uuid, uuid)', 'while_undecided()',
        'match_moves_sight()', 'case_waits(uuid)', 'contact_waits_with_case()', 'may_meet(uuid, uuid)', 'hidden_in(uuid)',
        'referrer_told(uuid)', 'leaves_contact(uuid, uuid[])', 'referral_opens_sight()', 'offer_is_over()',
        'rights_follow_unit()', 'known_children(uuid, text, date, date, uuid)'] loop
        execute format('alter function hearth.%s owner to hearth_rights', one);
        execute format('revoke execute on function hearth.%s from public', one);
    end loop;
end $$;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.front_door(), hearth.stays_decided() from public;
grant execute on function hearth.known_children(uuid, text, date, date, uuid), hearth.open_match(uuid, uuid),
    hearth.may_meet(uuid, uuid), hearth.hidden_in(uuid), hearth.referrer_told(uuid), hearth.leaves_contact(uuid, uuid[])
    to hearth_app;

-- Rights anew, with the front door's.
grant execute on function hearth.renew_rights(uuid) to hearth_owner;
do $$
begin
    set local row_security = off;
    alter table workers no force row level security;
    perform hearth.renew_rights(w.id) from workers w;
    alter table workers force row level security;
end $$;
revoke execute on function hearth.renew_rights(uuid) from hearth_owner;
