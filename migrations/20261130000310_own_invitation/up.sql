-- Somebody of another agency sees their own invitation to a conference, and when and where it is: not who it is about, nor who
-- else comes (domain 5.2). Nobody who is kept from a child of it. Workers of units see invitations with the conference.
create function hearth.own_invitations() returns uuid[]
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    me uuid := hearth.worker();
    now timestamptz := hearth.at();
begin
    if not exists (select from public.worker_posts p where p.worker_id = me and p.post = 'EXTERNAL_PARTICIPANT'
                   and p.started_at <= now and (p.ended_at is null or p.ended_at > now)) then
        return '{}';
    end if;
    return array(
        select i.id from public.conference_invitations i
        where i.worker_id = me and i.sent_at is not null
          and not exists (select from public.conference_children cc join public.person_locks l on l.person_id = cc.child_id
                          where cc.conference_id = i.conference_id and (me <> all (l.allowed) or me = any (l.barred))));
end $$;
create policy own on conference_invitations for select to hearth_app
    using (worker_id = (select hearth.worker()) and id = any ((select hearth.own_invitations())::uuid[]));

-- What an invitation says of its conference, to whoever sees the invitation.
create function hearth.invited_to(invitation uuid)
    returns table (type text, state text, scheduled_for timestamptz, online boolean, venue text)
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select c.type, c.state, c.scheduled_for, c.online, c.venue
    from public.conference_invitations i join public.conferences c on c.id = i.conference_id
    where i.id = invitation and (hearth.sees(i.conference_id) or i.id = any (hearth.own_invitations()));
end $$;

grant create on schema hearth to hearth_rights;
alter function hearth.own_invitations() owner to hearth_rights;
alter function hearth.invited_to(uuid) owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.own_invitations(), hearth.invited_to(uuid) from public;
grant execute on function hearth.own_invitations(), hearth.invited_to(uuid) to hearth_app;
