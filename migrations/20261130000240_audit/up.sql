-- Who saw, changed, was sent or was refused which record. Appended to before the answer leaves; never changed, and sealed
-- in a chain of hashes whose head is kept outside the database too.
create table audit_entries (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    -- The worker who asked; none where events were sent to several. No reference: the token was just found to be a worker's,
    -- and a lock on the worker's row at every answer would be paid by all.
    worker_id uuid,
    action text not null check (action in ('READ', 'CHANGED', 'REFUSED', 'SENT')),
    purpose text not null check (purpose in ('DIRECT_WORK', 'DUTY', 'SUPERVISION', 'AUDIT', 'STATISTICS')),
    -- The first fields of the operation, as the schema names them; never what a client called it.
    operation text[] not null,
    operation_hash text,
    request_id uuid,
    -- The process that answered.
    process uuid not null,
    -- Persons, cases, families, conferences and plans that were shown or changed.
    records uuid[] not null,
    -- Records that were asked for and not shown.
    asked uuid[] not null,
    -- Classes of fields beyond the core that were read.
    classes text[] not null,
    -- Codes of what was refused.
    codes text[] not null,
    events uuid[] not null,
    recipients uuid[] not null,
    -- Which link of the chain it is part of, once it is.
    seal bigint
);
create index on audit_entries (worker_id, id);
create index audit_entries_unsealed on audit_entries (id) where seal is null;
create index on audit_entries (seal) where seal is not null;
create index on audit_entries using gin (records) with (fastupdate = on);

create table audit_seals (
    seq bigint primary key check (seq > 0),
    entries bigint not null check (entries > 0),
    -- SHA-256 of the link before and of every entry's text, in the order of their ids.
    hash bytea not null check (length(hash) = 32),
    sealed_at timestamptz not null
);

create function hearth.only_sealed() returns trigger language plpgsql as $$
begin
    if tg_op <> 'UPDATE' or tg_table_name = 'audit_seals' or to_jsonb(old) ->> 'seal' is not null
        or to_jsonb(new) - 'seal' <> to_jsonb(old) - 'seal' then
        raise exception '% is history: it is only appended to', tg_table_name using errcode = 'HE003';
    end if;
    return new;
end $$;
create trigger only_sealed before update or delete on audit_entries for each row execute function hearth.only_sealed();
create trigger only_sealed before update or delete on audit_seals for each row execute function hearth.only_sealed();
create trigger only_sealed_all before truncate on audit_entries execute function hearth.only_sealed();
create trigger only_sealed_all before truncate on audit_seals execute function hearth.only_sealed();
revoke execute on function hearth.only_sealed() from public;

-- What auditors hold.
create function hearth.auditing() returns uuid language sql immutable parallel safe as $$
    select '00000000-0000-7000-8000-000000000003'::uuid
$$;
revoke execute on function hearth.auditing() from public;
grant execute on function hearth.auditing() to hearth_app, hearth_rights;

alter table audit_entries enable row level security, force row level security;
alter table audit_seals enable row level security, force row level security;
-- The process writes what it did, outside of any viewer's transaction.
create policy append on audit_entries for insert to hearth_app with check (seal is null);
-- Everybody their own acts; auditors and the head of service all.
create policy audited on audit_entries for select to hearth_app using (
    worker_id = (select hearth.worker()) or hearth.auditing() = any ((select hearth.holders())::uuid[]));
grant select, insert on audit_entries to hearth_app;
grant usage on sequence audit_entries_id_seq to hearth_app;
create policy sealing on audit_entries to hearth_relay using (true) with check (true);
grant select, update (seal) on audit_entries to hearth_relay;
create policy sealing on audit_seals to hearth_relay using (true) with check (true);
grant select, insert on audit_seals to hearth_relay;
grant select on audit_entries to hearth_rights;

-- Who looked at a child: for the manager of an area that sees the child whole, and for whoever reads all of it anyway. Newest
-- first.
create function hearth.who_looked(child uuid, before bigint, at_most bigint) returns setof public.audit_entries
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if not hearth.sees(child)
        or not (hearth.auditing() = any (hearth.holders())
                or exists (select from public.sight s join public.areas a on a.id = s.holder_id
                           where s.subject_id = child and s.whole and a.service_manager_id = hearth.worker())) then
        return;
    end if;
    return query select e.* from public.audit_entries e
        where e.records @> array[child] and (before is null or e.id < before)
        order by e.id desc limit at_most;
end $$;
grant create on schema hearth to hearth_rights;
alter function hearth.who_looked(uuid, bigint, bigint) owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.who_looked(uuid, bigint, bigint) from public;
grant execute on function hearth.who_looked(uuid, bigint, bigint) to hearth_app;

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
        select array(select a.id from public.areas a where a.service_manager_id = w.id) as held) managed
    cross join lateral (
        select array(select m.unit_id from public.unit_memberships m
                     where m.worker_id = w.id and m.started_at <= edge.at
                       and (m.ended_at is null or m.ended_at > edge.at)) as held) member
    where w.id = renewed and w.active;
end $$;
grant execute on function hearth.renew_rights(uuid) to hearth_owner;
do $$
begin
    set local row_security = off;
    alter table workers no force row level security;
    perform hearth.renew_rights(w.id) from workers w;
    alter table workers force row level security;
end $$;
revoke execute on function hearth.renew_rights(uuid) from hearth_owner;
