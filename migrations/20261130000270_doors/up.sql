-- What is open ends with the login that let it in: by the login's row, not by its subject. A subject whose login ended and who
-- means somebody else since is no reason to leave open what is still the former one's. The functions before these stay for
-- processes of the release before.

-- The running login of a subject and its worker, or none. Asked before there is a viewer.
create function hearth.running_login(asked_issuer text, asked_subject text) returns table (login uuid, worker uuid)
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    return query
    select l.id, l.worker_id from public.worker_logins l join public.workers w on w.id = l.worker_id
    where l.issuer = asked_issuer and l.subject = asked_subject and l.ended_at is null and w.active;
end $$;

-- What ended: all sessions, for a session of the provider goes on making tokens whatever becomes of the one that is out, and
-- the logins that something can still be open by, which is as long as a token may be good.
create function hearth.endings() returns table (session text, login uuid)
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select s.session, null::uuid from public.ended_sessions s
    union all
    select null, l.id from public.worker_logins l where l.ended_at > now() - interval '25 hours';
end $$;

grant create on schema hearth to hearth_rights;
alter function hearth.running_login(text, text) owner to hearth_rights;
alter function hearth.endings() owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.running_login(text, text), hearth.endings() from public;
grant execute on function hearth.running_login(text, text), hearth.endings() to hearth_app;
