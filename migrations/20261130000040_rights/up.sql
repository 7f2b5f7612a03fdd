-- Every operation begins with what the viewer may see, and read it from four tables each time. Now triggers write it down
-- when one of them changes: for every worker, from when on they have which rights, the future included.

create table rights (
    worker_id uuid not null references workers (id),
    -- Until the worker's next row.
    started_at timestamptz not null,
    -- Head of service.
    everything boolean not null,
    -- Whose sight they have: their own, their units', their areas' and, for the front door, the queue's.
    holders uuid[] not null,
    primary key (worker_id, started_at)
);
-- Read by hearth.enter alone.
alter table rights enable row level security, force row level security;
grant select, insert, delete on rights to hearth_rights;
-- For the lock on the row.
grant update (active) on workers to hearth_rights;

-- Writes a worker's rights anew. Who does not work here any more has none.
create function hearth.renew_rights(renewed uuid) returns void
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
begin
    -- Two changes of one worker, in two units: the second sees what the first made of it. The row's lock, because a load of
    -- many workers at once would fill the table of all other locks.
    perform from public.workers w where w.id = renewed for no key update;
    delete from public.rights r where r.worker_id = renewed;
    insert into public.rights (worker_id, started_at, everything, holders)
    select w.id, edge.at, 'HEAD_OF_SERVICE' = any (post.held),
           w.id || managed.held || member.held
               || case when 'FIRST_RESPONSE' = any (post.held) or cardinality(managed.held) > 0
                       then array[hearth.queue()] else '{}' end
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

create function hearth.rights_follow() returns trigger
    language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    before jsonb := case when tg_op = 'INSERT' then '{}' else to_jsonb(old) end;
    after jsonb := case when tg_op = 'DELETE' then '{}' else to_jsonb(new) end;
    one uuid;
begin
    -- In one order, whoever changes whom.
    for one in select distinct (of ->> tg_argv[0])::uuid from (values (before), (after)) v (of)
               where of ->> tg_argv[0] is not null order by 1 loop
        perform hearth.renew_rights(one);
    end loop;
    return null;
end $$;
create trigger rights_follow after insert or update or delete on worker_posts
    for each row execute function hearth.rights_follow('worker_id');
create trigger rights_follow after insert or update or delete on unit_memberships
    for each row execute function hearth.rights_follow('worker_id');
create trigger rights_follow after insert or update of service_manager_id or delete on areas
    for each row execute function hearth.rights_follow('service_manager_id');
create trigger rights_follow after insert or update of active on workers
    for each row execute function hearth.rights_follow('id');

create or replace function hearth.enter(entering uuid, at timestamptz) returns void
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    sees_everything boolean;
    held uuid[];
    done text;
begin
    select r.everything, r.holders into sees_everything, held from public.rights r
        where r.worker_id = entering and r.started_at <= at
        order by r.started_at desc limit 1;
    if not found then
        raise exception 'not an active worker' using errcode = 'HE001';
    end if;
    done := set_config('hearth.worker', entering::text, true);
    done := set_config('hearth.at', at::text, true);
    done := set_config('hearth.everything', case when sees_everything then 'on' else 'off' end, true);
    done := set_config('hearth.holders', held::text, true);
    done := set_config('hearth.writing', '', true);
end $$;

grant create on schema hearth to hearth_rights;
alter function hearth.renew_rights(uuid) owner to hearth_rights;
alter function hearth.rights_follow() owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.renew_rights(uuid), hearth.rights_follow() from public;
grant execute on function hearth.renew_rights(uuid) to hearth_owner;
do $$
begin
    set local row_security = off;
    alter table workers no force row level security;
    perform hearth.renew_rights(w.id) from workers w;
    alter table workers force row level security;
end $$;
revoke execute on function hearth.renew_rights(uuid) from hearth_owner;
