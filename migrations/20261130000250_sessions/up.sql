-- Sessions of the sign-in service that were ended before their tokens' time, and what open connections are asked about.
create table ended_sessions (
    -- The token's `sid`, or else its `jti`: means nothing but itself.
    session text collate "C" primary key check (session <> '' and length(session) <= 255),
    ended_at timestamptz not null default now()
);
alter table ended_sessions enable row level security, force row level security;
create trigger appended_only before update or delete on ended_sessions
    for each row execute function hearth.appended_only();
grant select, insert on ended_sessions to hearth_rights;

-- `hearth login end-session`, as the owner.
create function hearth.end_session(ending text) returns boolean
    language sql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
    with ended as (insert into public.ended_sessions (session) values (ending) on conflict do nothing returning session)
    select exists (select from ended)
$$;

-- What ended within the longest time that a token may be good: sessions, and subjects that mean nobody any more.
create function hearth.ended_doors() returns table (session text, issuer text, subject text)
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select s.session, null::text, null::text from public.ended_sessions s where s.ended_at > now() - interval '25 hours'
    union all
    select null, l.issuer, l.subject from public.worker_logins l
    where l.ended_at > now() - interval '25 hours'
      and not exists (select from public.worker_logins o
                      where o.issuer = l.issuer and o.subject = l.subject and o.ended_at is null);
end $$;
create index on worker_logins (ended_at) where ended_at is not null;
create index on ended_sessions (ended_at);

grant create on schema hearth to hearth_rights;
alter function hearth.end_session(text) owner to hearth_rights;
alter function hearth.ended_doors() owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.end_session(text), hearth.ended_doors() from public;
grant execute on function hearth.end_session(text) to hearth_owner;
grant execute on function hearth.ended_doors() to hearth_app;
