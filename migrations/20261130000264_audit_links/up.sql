-- The audit anew: an entry is written once and never touched again, not even to be sealed. A link of the chain is all entries
-- up to an id. What an entry is about is found by whose records it shows, not by every id in it.

-- What was written in the earlier form is kept as it is, out of everybody's reach.
drop function hearth.who_looked(uuid, bigint, bigint);
do $$
begin
    if exists (select from audit_entries limit 1) or exists (select from audit_seals limit 1) then
        revoke all on audit_entries, audit_seals from hearth_app, hearth_relay, hearth_rights;
        alter table audit_entries rename to audit_entries_of_before;
        alter table audit_seals rename to audit_seals_of_before;
        alter sequence audit_entries_id_seq rename to audit_entries_of_before_id_seq;
        alter index audit_entries_pkey rename to audit_entries_of_before_pkey;
        alter index audit_seals_pkey rename to audit_seals_of_before_pkey;
    else
        drop table audit_entries, audit_seals;
        drop function hearth.only_sealed();
    end if;
end $$;

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
    -- Whose records: persons, families, conferences.
    subjects uuid[] not null,
    -- Which of their records: cases, plans.
    records uuid[] not null,
    -- Records that were asked for and not shown.
    asked uuid[] not null,
    -- Classes of fields beyond the core that were read.
    classes text[] not null,
    -- Codes of what was refused.
    codes text[] not null,
    events uuid[] not null,
    recipients uuid[] not null
);
create index on audit_entries (worker_id, id);
create index on audit_entries using gin (subjects) with (fastupdate = on);
create index audit_entries_asked on audit_entries using gin (asked) where asked <> '{}';

create table audit_seals (
    seq bigint primary key check (seq > 0),
    -- All entries up to this id that no earlier link holds.
    upto bigint not null unique,
    entries bigint not null check (entries > 0),
    -- SHA-256 of the link before and of the digests of its entries, in the order of their ids.
    hash bytea not null check (length(hash) = 32),
    sealed_at timestamptz not null
);

create function hearth.audit_is_appended_to() returns trigger language plpgsql as $$
begin
    raise exception '% is history: it is only appended to', tg_table_name using errcode = 'HE003';
end $$;
create trigger appended_to before update or delete on audit_entries for each row execute function hearth.audit_is_appended_to();
create trigger appended_to before update or delete on audit_seals for each row execute function hearth.audit_is_appended_to();
create trigger appended_to_all before truncate on audit_entries execute function hearth.audit_is_appended_to();
create trigger appended_to_all before truncate on audit_seals execute function hearth.audit_is_appended_to();
revoke execute on function hearth.audit_is_appended_to() from public;

alter table audit_entries enable row level security, force row level security;
alter table audit_seals enable row level security, force row level security;
-- The process writes what it did, outside of any viewer's transaction.
create policy append on audit_entries for insert to hearth_app with check (true);
-- Everybody their own acts; auditors and the head of service all.
create policy audited on audit_entries for select to hearth_app using (
    worker_id = (select hearth.worker()) or hearth.auditing() = any ((select hearth.holders())::uuid[]));
grant select, insert on audit_entries to hearth_app;
grant usage on sequence audit_entries_id_seq to hearth_app;
create policy sealing on audit_entries for select to hearth_relay using (true);
grant select on audit_entries to hearth_relay;
create policy sealing on audit_seals to hearth_relay using (true) with check (true);
grant select, insert on audit_seals to hearth_relay;
grant select on audit_entries to hearth_rights;

-- Appends entries, and says how many there are now of them. Whoever appends holds the lock until it is committed.
create function hearth.append_audit(entries jsonb) returns bigint
    language plpgsql volatile set search_path = pg_catalog, public, pg_temp as $$
declare
    appended bigint;
begin
    perform pg_advisory_xact_lock_shared(7164781526381);
    insert into public.audit_entries (at, worker_id, action, purpose, operation, operation_hash, request_id, process, subjects,
                                      records, asked, classes, codes, events, recipients)
    select e.at, e.worker_id, e.action, e.purpose, e.operation, e.operation_hash, e.request_id, e.process, e.subjects, e.records,
           e.asked, e.classes, e.codes, e.events, e.recipients
    from jsonb_to_recordset(entries) as e (
        at timestamptz, worker_id uuid, action text, purpose text, operation text[], operation_hash text, request_id uuid,
        process uuid, subjects uuid[], records uuid[], asked uuid[], classes text[], codes text[], events uuid[],
        recipients uuid[]);
    get diagnostics appended = row_count;
    return appended;
end $$;
-- The id up to which every entry that will ever be there is there: nobody is appending while the lock is held alone. Called
-- outside of a transaction, so that it is held for that moment only.
create function hearth.audit_settled() returns bigint
    language plpgsql volatile set search_path = pg_catalog, public, pg_temp as $$
begin
    perform pg_advisory_xact_lock(7164781526381);
    return (select max(id) from public.audit_entries);
end $$;
revoke execute on function hearth.append_audit(jsonb), hearth.audit_settled() from public;
grant execute on function hearth.append_audit(jsonb) to hearth_app;
grant execute on function hearth.audit_settled() to hearth_relay;
grant usage on schema hearth to hearth_relay;

-- Under which subjects entries about a record are found: what a child's conferences tell is of the child.
create function hearth.audit_subjects(record uuid) returns uuid[]
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return array(select record union select c.conference_id from public.conference_children c where c.child_id = record);
end $$;
-- Whose a case or a plan is.
create function hearth.audit_child(record uuid) returns uuid
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return (select c.child_id from public.cases c where c.id = record
            union select p.child_id from public.plans p where p.id = record);
end $$;

-- Who looked at a child: for the manager of an area that sees the child whole, and for whoever reads all of it anyway. Newest
-- first. Of each entry what concerns the child, and of others nothing: not even that somebody else was in it.
create function hearth.who_looked(child uuid, before bigint, at_most bigint) returns setof public.audit_entries
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    if not hearth.sees(child)
        or not (hearth.auditing() = any (hearth.holders())
                or exists (select from public.sight s join public.areas a on a.id = s.holder_id
                           where s.subject_id = child and s.whole and a.service_manager_id = hearth.worker()
                             and (s.allowed is null or hearth.worker() = any (s.allowed))
                             and (s.barred is null or hearth.worker() <> all (s.barred)))) then
        return;
    end if;
    return query
    select e.id, e.at, e.worker_id, e.action, e.purpose, e.operation, e.operation_hash, e.request_id, e.process,
           array[child], '{}'::uuid[], '{}'::uuid[], e.classes, e.codes, '{}'::uuid[], '{}'::uuid[]
    from public.audit_entries e
    where e.subjects && hearth.audit_subjects(child) and (before is null or e.id < before)
    order by e.id desc limit at_most;
end $$;
grant create on schema hearth to hearth_rights;
alter function hearth.audit_subjects(uuid) owner to hearth_rights;
alter function hearth.audit_child(uuid) owner to hearth_rights;
alter function hearth.who_looked(uuid, bigint, bigint) owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.audit_subjects(uuid), hearth.audit_child(uuid), hearth.who_looked(uuid, bigint, bigint) from public;
grant execute on function hearth.audit_subjects(uuid), hearth.audit_child(uuid), hearth.who_looked(uuid, bigint, bigint) to hearth_app;
