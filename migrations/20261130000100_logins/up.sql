-- Whom a token of the sign-in service means. A token says an issuer and a subject; which worker that is stands here alone, so
-- that nothing in a token grants anything, and ending a row ends the login whatever tokens are still out.

create table worker_logins (
    id uuid primary key default gen_random_uuid(),
    issuer text not null check (issuer <> '' and length(issuer) <= 500),
    -- Compared byte for byte, as OpenID Connect has it.
    subject text collate "C" not null check (subject <> '' and length(subject) <= 255),
    worker_id uuid not null references workers (id),
    started_at timestamptz not null default now(),
    ended_at timestamptz check (ended_at >= started_at)
);
-- One worker for a subject at a time; a worker may have several subjects.
create unique index one_running_login on worker_logins (issuer, subject) where ended_at is null;
create index on worker_logins (worker_id);
-- No login role reads or writes it but through the functions below.
alter table worker_logins enable row level security, force row level security;
grant select, insert on worker_logins to hearth_rights;
grant update (ended_at) on worker_logins to hearth_rights;

-- Whom a login meant and when is what the log of who did what stands on: a row is ended, once, and never rewritten.
create trigger only_ends before update or delete on worker_logins
    for each row execute function hearth.only_ends();

-- The worker of a subject, or none. Asked before there is a viewer.
create function hearth.login(asked_issuer text, asked_subject text) returns uuid
    language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select l.worker_id from public.worker_logins l join public.workers w on w.id = l.worker_id
    where l.issuer = asked_issuer and l.subject = asked_subject and l.ended_at is null and w.active
$$;

-- The operator's three: `hearth login add | end | list`, as the owner.
create function hearth.start_login(new_issuer text, new_subject text, of_staff_no text) returns text
    language sql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
    with started as (
        insert into public.worker_logins (issuer, subject, worker_id)
        select new_issuer, new_subject, w.id from public.workers w where w.staff_no = of_staff_no and w.active
        returning worker_id)
    select w.name from started join public.workers w on w.id = started.worker_id
$$;

create function hearth.end_login(ending_issuer text, ending_subject text) returns boolean
    language sql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
    with ended as (
        update public.worker_logins l set ended_at = now()
        where l.issuer = ending_issuer and l.subject = ending_subject and l.ended_at is null
        returning l.id)
    select exists (select from ended)
$$;

create function hearth.logins() returns table (
    issuer text, subject text, staff_no text, worker_active boolean, started_at timestamptz, ended_at timestamptz)
    language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
    select l.issuer, l.subject, w.staff_no, w.active, l.started_at, l.ended_at
    from public.worker_logins l join public.workers w on w.id = l.worker_id
    order by w.staff_no, l.started_at
$$;

grant create on schema hearth to hearth_rights;
alter function hearth.login(text, text) owner to hearth_rights;
alter function hearth.start_login(text, text, text) owner to hearth_rights;
alter function hearth.end_login(text, text) owner to hearth_rights;
alter function hearth.logins() owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.login(text, text), hearth.start_login(text, text, text),
    hearth.end_login(text, text), hearth.logins() from public;
grant execute on function hearth.login(text, text) to hearth_app;
grant execute on function hearth.start_login(text, text, text), hearth.end_login(text, text), hearth.logins()
    to hearth_owner;
