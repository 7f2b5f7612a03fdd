-- Opens records for writing in this transaction, after policy has permitted the action. What the viewer sees only because
-- they broke its glass was opened to read: it is not written.
create function hearth.write(subjects uuid[]) returns void
    language plpgsql volatile security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    me uuid := hearth.worker();
    held uuid[] := hearth.holders();
    now timestamptz := hearth.at();
    glasses uuid[] := array(select u.id from public.break_glass_uses u where u.worker_id = me and u.ends_at > now);
    done text;
begin
    if cardinality(glasses) > 0 and exists (
        select from public.sight s
        where s.subject_id = any (subjects) and s.holder_id = any (held) and (s.until is null or s.until > now)
          and (s.allowed is null or me = any (s.allowed)) and (s.barred is null or me <> all (s.barred))
        group by s.subject_id having bool_and(s.source_id = any (glasses))) then
        raise exception 'opened to read' using errcode = 'HE006';
    end if;
    done := set_config('hearth.writing', subjects::text, true);
end $$;

-- From whose records a denial by name keeps the viewer: they do not govern those either.
create function hearth.barred_from_me() returns uuid[]
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    me uuid := hearth.worker();
begin
    return array(select l.person_id from public.person_locks l where me = any (l.barred));
end $$;
alter policy in_sight on access_restrictions using (
    person_id <> all ((select hearth.barred_from_me())::uuid[])
    and (owner_id = (select hearth.worker()) or hearth.whole_service() = any ((select hearth.holders())::uuid[])
         or exists (select from sight s where s.subject_id = person_id and s.whole)));
alter policy in_sight on access_denials using (
    person_id <> all ((select hearth.barred_from_me())::uuid[])
    and (hearth.whole_service() = any ((select hearth.holders())::uuid[])
         or exists (select from sight s where s.subject_id = person_id and s.whole)));
alter policy in_sight on break_glass_uses using (
    worker_id = (select hearth.worker())
    or (child_id <> all ((select hearth.barred_from_me())::uuid[])
        and ((select hearth.worker()) = any (alerted)
             or exists (select from sight s where s.subject_id = child_id and s.whole))));

-- As before, and nobody is alerted whom a denial keeps from the child.
create or replace function hearth.glass(child uuid) returns table (sees boolean, alerted uuid[])
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    me uuid := hearth.worker();
    barred uuid[] := coalesce((select l.barred from public.person_locks l where l.person_id = child), '{}');
    owner uuid[];
    managers uuid[];
begin
    if not exists (select from public.children c where c.id = child) or me = any (barred) then
        return;
    end if;
    owner := array(select r.owner_id from public.access_restrictions r join public.workers w on w.id = r.owner_id and w.active
                   where r.person_id = child and r.ended_at is null and r.owner_id <> all (barred));
    managers := array(select distinct a.service_manager_id from public.allocations h
                      join public.units u on u.id = h.unit_id join public.areas a on a.id = u.area_id
                      join public.workers w on w.id = a.service_manager_id and w.active
                      where h.child_id = child and h.ended_at is null and a.service_manager_id <> all (barred));
    -- Somebody else must be able to review it.
    if array_remove(managers, me) = '{}' then
        managers := managers || array(select p.worker_id from public.worker_posts p
            join public.workers w on w.id = p.worker_id and w.active
            where p.post = 'HEAD_OF_SERVICE' and p.started_at <= hearth.at()
              and (p.ended_at is null or p.ended_at > hearth.at()) and p.worker_id <> all (barred));
    end if;
    return query select hearth.sees(child), array(select distinct unnest(owner || managers));
end $$;

grant create on schema hearth to hearth_rights;
alter function hearth.write(uuid[]) owner to hearth_rights;
alter function hearth.barred_from_me() owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.write(uuid[]), hearth.barred_from_me() from public;
grant execute on function hearth.write(uuid[]), hearth.barred_from_me() to hearth_app;
