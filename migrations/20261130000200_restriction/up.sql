-- Restricted records, denials by name, break-glass (domain 5.3). All three are decided where everything else is: in sight.
-- A row of sight now says through whom the subject is seen, who alone may use it, and who may not; and what the head of
-- service sees are rows like everybody else's, so that a restriction needs one place only.

-- The whole service's sight, which its head has.
create function hearth.whole_service() returns uuid language sql immutable parallel safe as $$
    select '00000000-0000-7000-8000-000000000002'::uuid
$$;

create table access_restrictions (
    id uuid primary key,
    person_id uuid not null references persons (id),
    reason text not null check (reason in (
        'STAFF_OR_RELATIVE', 'SERIOUS_CASE_REVIEW', 'HIGH_PROFILE', 'PRE_ADOPTION', 'WITNESS', 'OTHER')),
    -- Answers for it, changes who is named, and hears of every break-glass.
    owner_id uuid not null references workers (id),
    -- Who may see the record, as far as they could without the restriction; the owner among them. Bounded because each
    -- row of sight repeats it.
    allowed uuid[] not null check (cardinality(allowed) between 1 and 50 and owner_id = any (allowed)),
    started_at timestamptz not null,
    ended_at timestamptz check (ended_at >= started_at),
    created_by uuid not null references workers (id),
    version integer not null default 1
);
create unique index one_running_restriction on access_restrictions (person_id) where ended_at is null;
create index on access_restrictions (person_id);
create index on access_restrictions (owner_id);
create index on access_restrictions (created_by);

create table access_denials (
    id uuid primary key,
    person_id uuid not null references persons (id),
    -- Who may not see the record, whatever else they may.
    worker_id uuid not null references workers (id),
    reason text not null check (reason in ('RELATIVE', 'CONFLICT_OF_INTEREST', 'OTHER')),
    started_at timestamptz not null,
    ended_at timestamptz check (ended_at >= started_at),
    created_by uuid not null references workers (id),
    version integer not null default 1
);
create unique index one_running_denial on access_denials (person_id, worker_id) where ended_at is null;
create index on access_denials (person_id);
create index on access_denials (worker_id);
create index on access_denials (created_by);

create table break_glass_uses (
    id uuid primary key,
    child_id uuid not null references children (id),
    worker_id uuid not null references workers (id),
    reason text not null check (reason in (
        'IMMEDIATE_SAFETY', 'OUT_OF_HOURS_DUTY', 'CHILD_PRESENTED', 'POLICE_OR_COURT', 'OTHER')),
    explanation text not null check (explanation <> ''),
    started_at timestamptz not null,
    ends_at timestamptz not null check (ends_at > started_at and ends_at <= started_at + interval '60 minutes'),
    -- Who was told at the same moment: the restriction's owner and the service managers, and who reviews it.
    alerted uuid[] not null check (cardinality(alerted) > 0),
    review_due_on date not null,
    reviewed_by uuid references workers (id),
    reviewed_at timestamptz,
    finding text check (finding in ('JUSTIFIED', 'NOT_JUSTIFIED')),
    review_note text,
    version integer not null default 1,
    check (num_nonnulls(reviewed_by, reviewed_at, finding) in (0, 3)),
    check (reviewed_by <> worker_id)
);
create index on break_glass_uses (child_id);
create index on break_glass_uses (worker_id, ends_at);
create index on break_glass_uses (reviewed_by);
create index break_glass_to_review on break_glass_uses using gin (alerted) where reviewed_at is null;

-- What the two tables before say now, of each person. Kept by triggers.
create table person_locks (
    person_id uuid primary key references persons (id),
    -- They alone; everybody when null.
    allowed uuid[],
    -- Not they.
    barred uuid[] check (cardinality(barred) between 1 and 50),
    check (allowed is not null or barred is not null)
);

-- Through whom: the child whose sight the row is or follows from. The same family seen through two children is two rows.
alter table sight add column through_id uuid, add column allowed uuid[], add column barred uuid[],
    -- Of a child who is not seen whole: the plans, their goals and actions too.
    add column plans boolean not null default false;
set local row_security = off;
alter table sight no force row level security;
alter table sight_links no force row level security;
alter table cases no force row level security;
alter table children no force row level security;
update sight s set through_id = s.subject_id where exists (select from children c where c.id = s.subject_id);
update sight s set through_id = c.child_id from cases c where c.id = s.subject_id;
delete from sight where through_id is null;
alter table sight drop constraint sight_pkey;
drop index sight_holder_id_subject_id_whole_until_idx;
alter table sight alter column through_id set not null,
    add primary key (subject_id, holder_id, source_id, through_id) include (whole, plans, until, allowed, barred);
create index on sight (holder_id, subject_id) include (whole, plans, until, allowed, barred);
create index on sight (through_id);
-- The head of service sees every child.
alter table sight disable trigger user;
insert into sight (subject_id, holder_id, source_id, whole, through_id)
    select c.id, hearth.whole_service(), c.id, true, c.id from children c;
insert into sight (subject_id, holder_id, source_id, whole, until, through_id)
    select l.subject_id, s.holder_id, s.source_id, true, s.until, l.child_id
    from sight_links l join sight s on s.subject_id = l.child_id
    where s.whole and l.subject_id <> l.child_id
    on conflict do nothing;
alter table sight enable trigger user;
alter table sight force row level security;
alter table sight_links force row level security;
alter table cases force row level security;
alter table children force row level security;

alter policy mine on sight using (
    holder_id = any ((select hearth.holders())::uuid[])
    and (until is null or until > (select hearth.at()))
    and (allowed is null or (select hearth.worker()) = any (allowed))
    and (barred is null or (select hearth.worker()) <> all (barred)));

-- The same, for the functions that are not bound by the policies.
create function hearth.sees(subject uuid) returns boolean
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    me uuid := hearth.worker();
    held uuid[] := hearth.holders();
    now timestamptz := hearth.at();
begin
    return exists (
        select from public.sight s
        where s.subject_id = subject and s.whole and s.holder_id = any (held)
          and (s.until is null or s.until > now)
          and (s.allowed is null or me = any (s.allowed)) and (s.barred is null or me <> all (s.barred)));
end $$;

-- What locks a row of sight: the restriction and the denials of whom it is seen through, and of the subject. What was
-- broken open is open: the restriction of that one record does not count, a denial does.
create function hearth.lock_sight() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    through public.person_locks;
    subject public.person_locks;
begin
    -- A restriction that is being made waits for this row, or this row for it: neither overlooks the other.
    perform from public.persons p where p.id in (new.through_id, new.subject_id) for key share;
    select l.* into through from public.person_locks l where l.person_id = new.through_id;
    if new.subject_id <> new.through_id then
        select l.* into subject from public.person_locks l where l.person_id = new.subject_id;
    end if;
    if through.allowed is not null and exists (select from public.break_glass_uses b where b.id = new.source_id) then
        through.allowed := null;
    end if;
    new.allowed := case when through.allowed is null then subject.allowed
                        when subject.allowed is null then through.allowed
                        else array(select unnest(through.allowed) intersect select unnest(subject.allowed)) end;
    new.barred := through.barred || subject.barred;
    return new;
end $$;
create trigger lock_sight before insert or update of through_id on sight
    for each row execute function hearth.lock_sight();

-- A person's locks follow restriction and denials, and the rows of sight follow the locks.
create function hearth.locks_follow() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    person uuid := coalesce(new.person_id, old.person_id);
    may uuid[];
    may_not uuid[];
begin
    perform from public.persons p where p.id = person for update;
    select r.allowed into may from public.access_restrictions r where r.person_id = person and r.ended_at is null;
    select array_agg(d.worker_id order by d.worker_id) into may_not from public.access_denials d
        where d.person_id = person and d.ended_at is null;
    delete from public.person_locks l where l.person_id = person;
    if may is not null or may_not is not null then
        insert into public.person_locks (person_id, allowed, barred) values (person, may, may_not);
    end if;
    update public.sight set through_id = through_id where through_id = person or subject_id = person;
    return null;
end $$;
create trigger locks_follow after insert or update or delete on access_restrictions
    for each row execute function hearth.locks_follow();
create trigger locks_follow after insert or update or delete on access_denials
    for each row execute function hearth.locks_follow();

-- Every child is in the sight of the whole service's head.
create function hearth.child_in_service() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    insert into public.sight (subject_id, holder_id, source_id, whole, through_id)
        values (new.id, hearth.whole_service(), new.id, true, new.id);
    return null;
end $$;
create trigger child_in_service after insert on children
    for each row execute function hearth.child_in_service();

-- As before, each row with whom it is seen through.
create or replace function hearth.sight_follows_links() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    insert into public.sight (subject_id, holder_id, source_id, whole, until, through_id)
        select l.subject_id, new.holder_id, new.source_id, true, new.until, l.child_id from public.sight_links l
        where l.child_id = new.subject_id and l.subject_id <> new.subject_id
        on conflict do nothing;
    return null;
end $$;

create or replace function hearth.link_opens_sight() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        insert into public.sight (subject_id, holder_id, source_id, whole, until, through_id)
            select new.subject_id, s.holder_id, s.source_id, true, s.until, new.child_id from public.sight s
            where s.subject_id = new.child_id and s.whole
            on conflict do nothing;
    else
        delete from public.sight s
            where s.subject_id = old.subject_id and s.through_id = old.child_id
              and not exists (select from public.sight_links l
                              where l.subject_id = old.subject_id and l.child_id = old.child_id);
    end if;
    return null;
end $$;

create or replace function hearth.allocation_opens_sight() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_op = 'INSERT' and new.ended_at is null then
        insert into public.sight (subject_id, holder_id, source_id, whole, through_id)
            select new.child_id, h.id, new.id, true, new.child_id
            from (select new.unit_id as id union all select u.area_id from public.units u where u.id = new.unit_id) h
            on conflict do nothing;
        if new.kind = 'PRIMARY' then
            delete from public.sight where source_id = new.case_id;
        end if;
    elsif tg_op = 'UPDATE' and old.ended_at is null and new.ended_at is not null then
        if new.kind = 'PRIMARY' then
            insert into public.sight (subject_id, holder_id, source_id, whole, through_id)
                select o.subject, hearth.queue(), c.id, false, c.child_id
                from public.cases c cross join lateral (values (c.child_id), (c.id)) as o (subject)
                where c.id = new.case_id and c.status <> 'CLOSED'
                on conflict do nothing;
        end if;
        delete from public.sight where source_id = new.id;
    end if;
    return null;
end $$;

create or replace function hearth.case_enters_queue() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_op = 'INSERT' and new.status <> 'CLOSED' then
        insert into public.sight (subject_id, holder_id, source_id, whole, through_id)
            values (new.child_id, hearth.queue(), new.id, false, new.child_id),
                   (new.id, hearth.queue(), new.id, false, new.child_id)
            on conflict do nothing;
    elsif tg_op = 'UPDATE' and new.status = 'CLOSED' then
        delete from public.sight where source_id = new.id;
    end if;
    return null;
end $$;

create or replace function hearth.involvement_opens_sight() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    -- Whoever has a part as a member of the unit sees with the unit, and no longer than it holds the case and they
    -- belong to it. Only a part beside the unit opens sight of its own: a parenting support worker's of who the child is
    -- and of the plans, a supervising social worker's of who the child is, others' of the whole child.
    if tg_op = 'INSERT' and new.ended_at is null
        and new.capacity not in ('LEAD_PRACTITIONER', 'CO_WORKER', 'CLINICAL') then
        insert into public.sight (subject_id, holder_id, source_id, whole, plans, through_id)
            values (new.child_id, new.worker_id, new.id, new.capacity not in ('PARENTING_SUPPORT', 'SUPERVISING_SW'),
                    new.capacity = 'PARENTING_SUPPORT', new.child_id) on conflict do nothing;
    elsif tg_op = 'UPDATE' and new.ended_at is not null then
        if new.capacity = 'IRO' then
            -- A reviewing officer, like a chair, goes on seeing the child for three months.
            update public.sight set until = new.ended_at + interval '3 months' where source_id = new.id;
        else
            delete from public.sight where source_id = new.id;
        end if;
    end if;
    return null;
end $$;

create or replace function hearth.transfer_opens_sight() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_op = 'INSERT' and new.state = 'REQUESTED' then
        insert into public.sight (subject_id, holder_id, source_id, whole, through_id)
            select o.subject, h.id, new.id, false, new.child_id
            from (select new.to_unit_id as id union all select u.area_id from public.units u where u.id = new.to_unit_id) h
            cross join (values (new.child_id), (new.case_id)) as o (subject)
            on conflict do nothing;
    elsif tg_op = 'UPDATE' and new.state <> 'REQUESTED' then
        delete from public.sight where source_id = new.id;
    end if;
    return null;
end $$;

create or replace function hearth.conference_opens_sight() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if tg_table_name = 'conference_children' then
        insert into public.sight_links (child_id, subject_id, source_id)
            values (new.child_id, new.conference_id, new.id) on conflict do nothing;
        insert into public.sight (subject_id, holder_id, source_id, whole, until, through_id)
            select new.child_id, c.chair_id, c.id, true,
                case when c.state in ('DECIDED', 'ISSUED') then c.held_at + interval '3 months' end, new.child_id
            from public.conferences c
            where c.id = new.conference_id and c.chair_id is not null and c.state <> 'WITHDRAWN' on conflict do nothing;
    else
        if tg_op = 'UPDATE' and old.chair_id is not null and old.chair_id is distinct from new.chair_id then
            delete from public.sight where source_id = new.id and holder_id = old.chair_id;
        end if;
        if new.state = 'WITHDRAWN' then
            delete from public.sight where source_id = new.id;
        elsif new.chair_id is not null then
            insert into public.sight (subject_id, holder_id, source_id, whole, through_id)
                select cc.child_id, new.chair_id, new.id, true, cc.child_id from public.conference_children cc
                where cc.conference_id = new.id on conflict do nothing;
            if new.state in ('DECIDED', 'ISSUED') then
                update public.sight set until = new.held_at + interval '3 months'
                    where source_id = new.id and until is distinct from new.held_at + interval '3 months';
            end if;
        end if;
    end if;
    return null;
end $$;

create or replace function hearth.conference_holders(conference uuid)
    returns table (case_id uuid, unit_id uuid, lead_id uuid)
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
begin
    if not hearth.sees(conference) then
        return;
    end if;
    return query
    select cc.case_id, a.unit_id, i.worker_id
    from public.conference_children cc
    left join public.allocations a on a.case_id = cc.case_id and a.ended_at is null
    left join public.worker_involvements i
        on i.case_id = cc.case_id and i.capacity = 'LEAD_PRACTITIONER' and i.ended_at is null
    where cc.conference_id = conference;
end $$;

-- Break-glass opens one record, for who broke it, until it ends by itself.
create function hearth.break_glass_opens_sight() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    insert into public.sight (subject_id, holder_id, source_id, whole, until, through_id)
        values (new.child_id, new.worker_id, new.id, true, new.ends_at, new.child_id);
    return null;
end $$;
create trigger break_glass_opens_sight after insert on break_glass_uses
    for each row execute function hearth.break_glass_opens_sight();

-- The rights of the head of service are a holder like the others.
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
               || case when 'HEAD_OF_SERVICE' = any (post.held) then array[hearth.whole_service()] else '{}' end
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
        select array(select a.id from public.areas a where a.service_manager_id = w.id) as held) managed
    cross join lateral (
        select array(select m.unit_id from public.unit_memberships m
                     where m.worker_id = w.id and m.started_at <= edge.at
                       and (m.ended_at is null or m.ended_at > edge.at)) as held) member
    where w.id = renewed and w.active;
end $$;
create or replace function hearth.enter(entering uuid, at timestamptz) returns void
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    held uuid[];
    done text;
begin
    select r.holders into held from public.rights r
        where r.worker_id = entering and r.started_at <= at
        order by r.started_at desc limit 1;
    if not found then
        raise exception 'not an active worker' using errcode = 'HE001';
    end if;
    done := set_config('hearth.worker', entering::text, true);
    done := set_config('hearth.at', at::text, true);
    done := set_config('hearth.holders', held::text, true);
    done := set_config('hearth.writing', '', true);
end $$;

-- Parts that opened the whole child and open less now.
alter table sight disable trigger user;
alter table sight no force row level security;
alter table worker_involvements no force row level security;
delete from sight s using worker_involvements i
    where s.source_id = i.id and i.capacity in ('PARENTING_SUPPORT', 'SUPERVISING_SW') and s.subject_id <> i.child_id;
update sight s set whole = false, plans = i.capacity = 'PARENTING_SUPPORT' from worker_involvements i
    where s.source_id = i.id and i.capacity in ('PARENTING_SUPPORT', 'SUPERVISING_SW');
alter table worker_involvements force row level security;
alter table sight force row level security;
alter table sight enable trigger user;

-- One policy shape, now without an exception for anybody.
create function hearth.in_sight(subject text, core_case text default null) returns text language sql immutable as $$
    select case
        -- Only with whole sight of the subject.
        when core_case is null then format('exists (select from sight s where s.subject_id = %I and s.whole)', subject)
        -- Who the child is belongs to every case's core.
        when core_case = subject then format('exists (select from sight s where s.subject_id = %I)', subject)
        -- Also with sight of this one case's core. Two probes, because most rows pass the first.
        else format('exists (select from sight s where s.subject_id = %I and s.whole) '
                    'or exists (select from sight s where s.subject_id = %I)', subject, core_case) end
$$;
create or replace function hearth.guard(tables regclass, subject text, core_case text default null) returns void
    language plpgsql as $$
begin
    execute format('alter table %s enable row level security, force row level security', tables);
    execute format('create policy in_sight on %s for select to hearth_app using (%s)',
        tables, hearth.in_sight(subject, core_case));
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
do $$
declare
    one record;
begin
    for one in select * from (values
        ('persons', 'id', 'id'), ('children', 'id', 'id'), ('person_names', 'person_id', 'person_id'),
        ('addresses', 'person_id', null), ('family_groups', 'id', null), ('family_members', 'person_id', null),
        ('relationships', 'person_id', null),
        ('cases', 'child_id', 'id'), ('case_transfers', 'child_id', 'case_id'), ('allocations', 'child_id', 'case_id'),
        ('worker_involvements', 'child_id', 'case_id'),
        ('conferences', 'id', null), ('conference_children', 'child_id', null),
        ('conference_invitations', 'conference_id', null), ('conference_moves', 'conference_id', null),
        ('conference_sittings', 'conference_id', null), ('conference_attendances', 'conference_id', null),
        ('conference_views', 'conference_id', null), ('conference_steps', 'conference_id', null),
        ('plan_shares', 'child_id', null), ('change_evidence', 'child_id', null), ('plan_reviews', 'child_id', null),
        ('plan_escalations', 'child_id', null)) as v (of, subject, core_case) loop
        execute format('alter policy in_sight on %I using (%s)', one.of, hearth.in_sight(one.subject, one.core_case));
    end loop;
end $$;
alter policy in_sight on plans
    using (exists (select from sight s where s.subject_id = child_id and (s.whole or s.plans)));
alter policy in_sight on plan_goals
    using (exists (select from sight s where s.subject_id = child_id and (s.whole or s.plans)));
alter policy in_sight on plan_actions
    using (exists (select from sight s where s.subject_id = child_id and (s.whole or s.plans)));
alter policy both_ends on relationships
    using (exists (select from sight s where s.subject_id = other_id and s.whole));
alter policy invited_by_sight on conference_invitations
    with check (person_id is null or exists (select from sight s where s.subject_id = person_id));
alter policy invited_in_sight on conference_invitations
    using (person_id is null or exists (select from sight s where s.subject_id = person_id));
alter policy invited_in_sight on conference_attendances
    using (person_id is null or exists (select from sight s where s.subject_id = person_id));
alter policy invited_in_sight on conference_views
    using (person_id is null or exists (select from sight s where s.subject_id = person_id));
alter policy about_in_sight on conference_views
    using (child_id is null or exists (select from sight s where s.subject_id = child_id and s.whole));
alter policy given_to_in_sight on plan_shares
    using (person_id is null or exists (select from sight s where s.subject_id = person_id));
drop function hearth.everything();
alter table rights drop column everything;

-- Restrictions: read by who sees the record, by the owner, and by the head of service, who grants; what they restrict is
-- not shown with them. Denials the same way, which keeps them from whom they name.
select hearth.guard('access_restrictions', 'person_id');
alter policy in_sight on access_restrictions using (
    owner_id = (select hearth.worker()) or hearth.whole_service() = any ((select hearth.holders())::uuid[])
    or exists (select from sight s where s.subject_id = person_id and s.whole));
select hearth.guard('access_denials', 'person_id');
alter policy in_sight on access_denials using (
    worker_id <> (select hearth.worker())
    and (hearth.whole_service() = any ((select hearth.holders())::uuid[])
         or exists (select from sight s where s.subject_id = person_id and s.whole)));
select hearth.guard('break_glass_uses', 'child_id');
alter policy in_sight on break_glass_uses using (
    worker_id = (select hearth.worker()) or (select hearth.worker()) = any (alerted)
    or exists (select from sight s where s.subject_id = child_id and s.whole));
create policy own_use on break_glass_uses as restrictive for insert to hearth_app
    with check (worker_id = (select hearth.worker()) and reviewed_by is null);
create policy reviewed_by_others on break_glass_uses as restrictive for update to hearth_app
    using ((select hearth.worker()) = any (alerted) and worker_id <> (select hearth.worker()))
    with check (reviewed_by = (select hearth.worker()));
grant insert, update (allowed, owner_id, ended_at, version) on access_restrictions to hearth_app;
grant insert, update (ended_at, version) on access_denials to hearth_app;
grant insert, update (reviewed_by, reviewed_at, finding, review_note, version) on break_glass_uses to hearth_app;

-- Only named fields of a break-glass are ever written after it, once; a restriction or denial that ended stays ended.
create function hearth.stays_as_it_ended() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or to_jsonb(old) ->> 'ended_at' is not null or to_jsonb(old) ->> 'reviewed_at' is not null then
        raise exception '% is history', tg_table_name using errcode = 'HE003';
    end if;
    return new;
end $$;
create trigger stays_as_it_ended before update or delete on access_restrictions
    for each row execute function hearth.stays_as_it_ended();
create trigger stays_as_it_ended before update or delete on access_denials
    for each row execute function hearth.stays_as_it_ended();
create trigger stays_as_it_ended before update or delete on break_glass_uses
    for each row execute function hearth.stays_as_it_ended();

alter table person_locks enable row level security, force row level security;
create policy delivering on person_locks for select to hearth_bus using (true);
grant select on person_locks to hearth_bus;
grant select (through_id, allowed, barred) on sight to hearth_bus;
grant select, insert, delete on person_locks to hearth_rights;
grant update (version) on persons to hearth_rights;

-- Whose records are kept from a worker by restriction or by name: few.
create function hearth.kept_from(worker uuid) returns uuid[]
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return array(select l.person_id from public.person_locks l
                 where worker <> all (l.allowed) or worker = any (l.barred));
end $$;
create function hearth.kept_from_me() returns uuid[]
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return hearth.kept_from(hearth.worker());
end $$;

-- An event that is about somebody whose record is kept from a worker reaches them only if it is also about a child whom
-- they see: a conference of two siblings, one of them restricted.
create function hearth.withheld_from(event uuid, worker uuid, at timestamptz) returns boolean
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    kept uuid[] := hearth.kept_from(worker);
    held uuid[];
begin
    if not exists (select from public.outbox_subjects o where o.event_id = event and o.child_id = any (kept)) then
        return false;
    end if;
    select r.holders into held from public.rights r
        where r.worker_id = worker and r.started_at <= at order by r.started_at desc limit 1;
    return not exists (
        select from public.outbox_subjects o join public.sight s on s.subject_id = o.child_id
        where o.event_id = event and s.whole and s.holder_id = any (held) and s.holder_id <> hearth.whole_service()
          and (s.until is null or s.until > at)
          and (s.allowed is null or worker = any (s.allowed)) and (s.barred is null or worker <> all (s.barred)));
end $$;
create policy in_sight on outbox_subjects for select to hearth_app using (
    child_id = any ((select hearth.kept_from_me())::uuid[])
    or exists (select from sight s where s.subject_id = child_id and s.whole));
grant select (event_id, child_id) on outbox_subjects to hearth_app;

-- What a unit's stream brought to the viewer: a member at the event's time and now, and no record in it is kept from them.
alter policy recipient on outbox_audience using (
    seq is not null and kind = 'UNIT' and holder_id = any ((select hearth.holders())::uuid[])
    and exists (select from unit_memberships m
                where m.unit_id = holder_id and m.worker_id = (select hearth.worker())
                  and m.started_at <= recorded_at and (m.ended_at is null or m.ended_at > recorded_at))
    and (cardinality((select hearth.kept_from_me())::uuid[]) = 0
         or not exists (select from outbox_subjects o
                        where o.event_id = outbox_audience.event_id
                          and o.child_id = any ((select hearth.kept_from_me())::uuid[]))
         or exists (select from outbox_subjects o join sight s on s.subject_id = o.child_id and s.whole
                    where o.event_id = outbox_audience.event_id and s.holder_id <> hearth.whole_service())));

create or replace function hearth.seen_by(event uuid) returns table (unit_id uuid, seen bigint, recipients bigint)
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
declare
    locked boolean := exists (select from public.person_locks);
begin
    if locked and hearth.withheld_from(event, hearth.worker(), hearth.at()) then
        return;
    end if;
    return query
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
      and case when locked then not hearth.withheld_from(event, now.worker_id, hearth.at()) else true end
    group by a.holder_id;
end $$;

-- How many events of the unit's stream a member has not read, at most 1,000; null for a unit that the viewer does not
-- belong to, and for who is no member. Of others it counts all: what is kept from them, or from the viewer, cannot be told
-- apart from a number. Of the viewer only what reached them.
create or replace function hearth.unread(unit uuid, worker uuid) returns bigint
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
declare
    kept uuid[] := hearth.kept_from(worker);
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
          and case when cardinality(kept) = 0 then true
                   else not hearth.withheld_from(a.event_id, worker, hearth.at()) end
        limit 1000) as events);
end $$;

-- How many children whom a unit holds, or persons of a family, are restricted: the one number that includes them, and the
-- same for everybody who may ask: members and managers, whoever sees the family.
create function hearth.restricted_of_unit(unit uuid) returns bigint
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if not exists (select from public.units u where u.id = unit
                   and array[u.id, u.area_id, hearth.whole_service()] && hearth.holders()) then
        return null;
    end if;
    return (select count(distinct a.child_id) from public.allocations a
            join public.person_locks l on l.person_id = a.child_id and l.allowed is not null
            where a.unit_id = unit and a.ended_at is null);
end $$;
create function hearth.restricted_of_family(family uuid) returns bigint
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if not hearth.sees(family) then
        return null;
    end if;
    return (select count(distinct m.person_id) from public.family_members m
            join public.person_locks l on l.person_id = m.person_id and l.allowed is not null
            where m.family_id = family
              and m.from_on <= hearth.at()::date and (m.to_on is null or m.to_on >= hearth.at()::date));
end $$;

-- Breaks the glass of one child's record. Says nothing of a child who does not exist or whom a denial keeps from the
-- viewer; tells who already sees the record; otherwise answers whom to alert: the restriction's owner, and the managers of
-- the areas whose units hold the child, or the head of service when no unit does.
create function hearth.glass(child uuid) returns table (sees boolean, alerted uuid[])
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    me uuid := hearth.worker();
    owner uuid[];
    managers uuid[];
begin
    if not exists (select from public.children c where c.id = child)
        or exists (select from public.person_locks l where l.person_id = child and me = any (l.barred)) then
        return;
    end if;
    owner := array(select r.owner_id from public.access_restrictions r join public.workers w on w.id = r.owner_id and w.active
                   where r.person_id = child and r.ended_at is null);
    managers := array(select distinct a.service_manager_id from public.allocations h
                      join public.units u on u.id = h.unit_id join public.areas a on a.id = u.area_id
                      join public.workers w on w.id = a.service_manager_id and w.active
                      where h.child_id = child and h.ended_at is null);
    -- Somebody else must be able to review it.
    if array_remove(managers, me) = '{}' then
        managers := managers || array(select p.worker_id from public.worker_posts p
            join public.workers w on w.id = p.worker_id and w.active
            where p.post = 'HEAD_OF_SERVICE' and p.started_at <= hearth.at()
              and (p.ended_at is null or p.ended_at > hearth.at()));
    end if;
    return query select hearth.sees(child), array(select distinct unnest(owner || managers));
end $$;

grant create on schema hearth to hearth_rights;
do $$
declare
    one text;
begin
    foreach one in array array['sees(uuid)', 'lock_sight()', 'locks_follow()', 'child_in_service()',
        'break_glass_opens_sight()', 'kept_from(uuid)', 'kept_from_me()', 'withheld_from(uuid, uuid, timestamptz)',
        'restricted_of_unit(uuid)', 'restricted_of_family(uuid)', 'glass(uuid)'] loop
        execute format('alter function hearth.%s owner to hearth_rights', one);
        execute format('revoke execute on function hearth.%s from public', one);
    end loop;
end $$;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.stays_as_it_ended(), hearth.in_sight(text, text), hearth.whole_service() from public;
grant execute on function hearth.sees(uuid), hearth.kept_from_me(), hearth.restricted_of_unit(uuid),
    hearth.restricted_of_family(uuid), hearth.glass(uuid), hearth.whole_service() to hearth_app;
grant execute on function hearth.whole_service() to hearth_rights, hearth_seed, hearth_owner;

-- Rights anew, with the head of service's.
grant execute on function hearth.renew_rights(uuid) to hearth_owner;
do $$
begin
    set local row_security = off;
    alter table workers no force row level security;
    perform hearth.renew_rights(w.id) from workers w;
    alter table workers force row level security;
end $$;
revoke execute on function hearth.renew_rights(uuid) from hearth_owner;
