-- People, children, families (domain 2.1).

create table persons (
    id uuid primary key,
    person_no bigint generated always as identity unique,
    first_name text not null,
    last_name text not null,
    preferred_name text,
    -- Exactly one of the two: an unborn child is a real case.
    date_of_birth date,
    expected_date_of_birth date,
    date_of_birth_estimated boolean not null default false,
    date_of_death date check (date_of_death >= date_of_birth),
    sex text not null check (sex in ('M', 'F', 'U')),
    ethnicity text check (ethnicity in (
        'WBRI', 'WIRI', 'WOTH', 'WIRT', 'WROM', 'MWBC', 'MWBA', 'MWAS', 'MOTH', 'AIND', 'APKN', 'ABAN', 'AOTH',
        'BCRB', 'BAFR', 'BOTH', 'CHNE', 'OOTH', 'REFU', 'NOBT')),
    religion text,
    first_language text,
    interpreter_needed boolean,
    communication_needs text,
    nhs_no text check (nhs_no ~ '^\d{10}$'),
    -- Lists are in this order; "C" so that the comparison is leakproof and an index can serve it under the policies.
    sort_name text collate "C" generated always as (lower(last_name || ' ' || first_name)) stored,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    check ((date_of_birth is null) <> (expected_date_of_birth is null))
);
create index on persons (sort_name, id);

create table children (
    id uuid primary key references persons (id),
    upn text check (upn ~ '^[A-HJ-NP-RT-Z]\d{11}[0-9A-HJ-NP-RT-Z]$'),
    uasc boolean not null default false,
    disabilities text[] not null default '{}' check (
        disabilities <@ array['NONE', 'MOB', 'HAND', 'PC', 'INC', 'COMM', 'LD', 'HEAR', 'VIS', 'BEH', 'CON', 'AUT', 'DDA']
        and not ('NONE' = any (disabilities) and cardinality(disabilities) > 1))
);

create table addresses (
    id uuid primary key,
    person_id uuid not null references persons (id),
    kind text not null check (kind in ('HOME', 'PLACEMENT', 'OTHER')),
    line text not null,
    postcode text not null,
    from_on date not null,
    to_on date check (to_on >= from_on),
    confidential boolean not null default false
);
create index on addresses (person_id);

create table family_groups (
    id uuid primary key,
    name text not null,
    version integer not null default 1,
    created_at timestamptz not null default now()
);

create table family_members (
    id uuid primary key,
    family_id uuid not null references family_groups (id),
    person_id uuid not null references persons (id),
    from_on date not null,
    to_on date check (to_on >= from_on),
    unique (family_id, person_id, from_on)
);
create index on family_members (person_id);

create table relationships (
    id uuid primary key,
    person_id uuid not null references persons (id),
    other_id uuid not null references persons (id),
    type text not null check (type in (
        'parent', 'stepParent', 'parentOfUnbornChild', 'child', 'stepChild', 'unbornChild', 'sibling', 'halfSibling',
        'stepSibling', 'unbornSibling', 'siblingOfUnbornChild', 'grandparent', 'grandchild', 'greatGrandparent',
        'greatGrandchild', 'auntUncle', 'nieceNephew', 'cousin', 'partner', 'exPartner', 'spouse', 'exSpouse',
        'fosterCarer', 'fosterChild', 'fosterCarerSupportCarer', 'supportCarerFosterCarer', 'privateFosterCarer',
        'privateFosterChild', 'friend', 'neighbour', 'acquaintance', 'inContactWith', 'other')),
    -- Whether person_id has parental responsibility for other_id.
    parental_responsibility text not null default 'N' check (parental_responsibility in ('Y', 'N', 'UNKNOWN')),
    main_carer boolean not null default false,
    from_on date not null,
    to_on date check (to_on >= from_on),
    check (person_id <> other_id),
    exclude using gist (person_id with =, other_id with =, type with =, daterange(from_on, to_on) with &&)
);
create index on relationships (other_id);

select hearth.guard('persons', 'id', 'id');
select hearth.guard('children', 'id', 'id');
select hearth.guard('addresses', 'person_id');
select hearth.guard('family_groups', 'id');
select hearth.guard('family_members', 'person_id');
select hearth.guard('relationships', 'person_id');
-- A relationship names two people: whoever may not see one of them does not see that it exists.
create policy both_ends on relationships as restrictive for select to hearth_app
    using ((select hearth.everything()) or exists (select from sight s where s.subject_id = other_id and s.whole));

-- Who sees a child whole sees the child's family and its adults; another child needs sight of its own.
create function hearth.link_family_member() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    joins_as_child boolean := exists (select from public.children c where c.id = new.person_id);
begin
    if joins_as_child then
        insert into public.sight_links (child_id, subject_id, source_id)
            values (new.person_id, new.family_id, new.id) on conflict do nothing;
        insert into public.sight_links (child_id, subject_id, source_id)
            select new.person_id, m.person_id, new.id from public.family_members m
            where m.family_id = new.family_id and not exists (select from public.children c where c.id = m.person_id)
              -- Who had left before the other came is no part of that family.
              and daterange(m.from_on, m.to_on, '[]') && daterange(new.from_on, new.to_on, '[]')
            on conflict do nothing;
    else
        insert into public.sight_links (child_id, subject_id, source_id)
            select m.person_id, new.person_id, new.id from public.family_members m
            where m.family_id = new.family_id and exists (select from public.children c where c.id = m.person_id)
              and daterange(m.from_on, m.to_on, '[]') && daterange(new.from_on, new.to_on, '[]')
            on conflict do nothing;
    end if;
    return null;
end $$;
create trigger link_family_member after insert on family_members
    for each row execute function hearth.link_family_member();

create function hearth.link_relationship() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    insert into public.sight_links (child_id, subject_id, source_id)
        select c.id, o.other, new.id
        from (values (new.person_id, new.other_id), (new.other_id, new.person_id)) as o (child, other)
        join public.children c on c.id = o.child
        where not exists (select from public.children k where k.id = o.other)
        on conflict do nothing;
    return null;
end $$;
create trigger link_relationship after insert on relationships
    for each row execute function hearth.link_relationship();

-- Somebody who was recorded as an adult of the family and becomes a child of the service needs sight of their own.
create function hearth.child_is_seen_alone() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    delete from public.sight_links where subject_id = new.id;
    return null;
end $$;
create trigger child_is_seen_alone after insert on children
    for each row execute function hearth.child_is_seen_alone();

grant create on schema hearth to hearth_rights;
alter function hearth.child_is_seen_alone() owner to hearth_rights;
alter function hearth.link_family_member() owner to hearth_rights;
alter function hearth.link_relationship() owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.link_family_member(), hearth.link_relationship(), hearth.child_is_seen_alone()
    from public;
