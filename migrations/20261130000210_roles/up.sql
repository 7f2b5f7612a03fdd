-- Every role of domain 5.2, and which classes of fields each of them reads of a record that is in their sight.

alter table worker_posts drop constraint worker_posts_post_check,
    add constraint worker_posts_post_check check (post in (
        'FIRST_RESPONSE', 'CP_CHAIR', 'REVIEWING_OFFICER', 'HEAD_OF_SERVICE', 'PARENTING_SUPPORT_WORKER',
        'FOSTERING_SOCIAL_WORKER', 'DATA_ANALYST', 'AUDITOR', 'EXTERNAL_PARTICIPANT'));

-- The same as auth::policy::reads; a test compares them. Core and narrative need no more than the row.
create function hearth.reads(role text, class text) returns boolean language sql immutable parallel safe as $$
    select case class
        when 'CORE' then true
        when 'NARRATIVE' then true
        when 'CLINICAL' then role in ('CONSULTANT_SOCIAL_WORKER', 'SOCIAL_WORKER', 'CHILDRENS_PRACTITIONER', 'CLINICIAN',
                                      'SERVICE_MANAGER', 'CP_CHAIR', 'REVIEWING_OFFICER')
        when 'THIRD_PARTY' then role in ('CONSULTANT_SOCIAL_WORKER', 'SOCIAL_WORKER', 'CHILDRENS_PRACTITIONER', 'CLINICIAN',
                                         'SERVICE_MANAGER', 'CP_CHAIR', 'REVIEWING_OFFICER')
        when 'CONFIDENTIAL_ADDRESS' then role in ('CONSULTANT_SOCIAL_WORKER', 'SOCIAL_WORKER', 'CHILDRENS_PRACTITIONER',
                                                  'SERVICE_MANAGER', 'REVIEWING_OFFICER')
        else false end
$$;

-- By whose sight the viewer reads fields of this class: their units' and areas', as far as their role there reads it; their
-- own, as chair, as reviewing officer or by break-glass, if any role of theirs does. Read only by what selects such a field.
create function hearth.opens(class text) returns uuid[]
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    me uuid := hearth.worker();
    now timestamptz := hearth.at();
    units uuid[];
    areas uuid[];
    posts text[];
begin
    select array_agg(m.unit_id) into units from public.unit_memberships m
        where m.worker_id = me and m.started_at <= now and (m.ended_at is null or m.ended_at > now)
          and hearth.reads(m.role, class);
    select array_agg(a.id) into areas from public.areas a
        where a.service_manager_id = me and hearth.reads('SERVICE_MANAGER', class);
    select array_agg(p.post) into posts from public.worker_posts p
        where p.worker_id = me and p.started_at <= now and (p.ended_at is null or p.ended_at > now)
          and hearth.reads(p.post, class);
    return coalesce(units, '{}') || coalesce(areas, '{}')
        || case when coalesce(units, areas) is not null or posts is not null then array[me] else '{}' end
        || case when 'HEAD_OF_SERVICE' = any (posts) then array[hearth.whole_service()] else '{}' end;
end $$;

-- How many open cases there are, restricted ones included, by status, need, service or age: numbers alone, for whoever has
-- the post for it, manages an area or heads the service; nothing for anybody else. Small ones are withheld by the program.
create function hearth.open_cases(counted_by text) returns table (key text, cases bigint)
    language plpgsql stable security definer set search_path = pg_catalog, public, pg_temp as $$
#variable_conflict use_column
declare
    now timestamptz := hearth.at();
    today date := (now at time zone 'Europe/London')::date;
begin
    if not exists (select from public.worker_posts p where p.worker_id = hearth.worker()
                   and p.post in ('DATA_ANALYST', 'HEAD_OF_SERVICE') and p.started_at <= now
                   and (p.ended_at is null or p.ended_at > now))
        and not exists (select from public.areas a where a.service_manager_id = hearth.worker()) then
        raise exception 'not a counter' using errcode = 'HE005';
    end if;
    return query
    select case counted_by
        when 'CASE_STATUS' then c.status
        when 'PRIMARY_NEED' then coalesce(c.primary_need, 'N0')
        when 'SERVICE' then coalesce(u.service, 'UNALLOCATED')
        else case when p.date_of_birth is null then 'UNBORN'
                  when p.date_of_birth > today - interval '1 year' then '0'
                  when p.date_of_birth > today - interval '5 years' then '1-4'
                  when p.date_of_birth > today - interval '10 years' then '5-9'
                  when p.date_of_birth > today - interval '16 years' then '10-15'
                  else '16+' end
        end as key, count(*)
    from public.cases c
    join public.persons p on p.id = c.child_id
    left join public.allocations a on a.case_id = c.id and a.kind = 'PRIMARY' and a.ended_at is null
    left join public.units u on u.id = a.unit_id
    where c.closed_on is null
    group by 1 order by 1;
end $$;

grant create on schema hearth to hearth_rights;
alter function hearth.open_cases(text) owner to hearth_rights;
revoke execute on function hearth.open_cases(text) from public;
grant execute on function hearth.open_cases(text) to hearth_app;
alter function hearth.opens(text) owner to hearth_rights;
revoke create on schema hearth from hearth_rights;
revoke execute on function hearth.opens(text), hearth.reads(text, text) from public;
grant execute on function hearth.opens(text) to hearth_app;
grant execute on function hearth.reads(text, text) to hearth_app, hearth_rights;
